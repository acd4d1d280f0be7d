/* SPDX-License-Identifier: Apache-2.0 */
/* tokens.c - how fast text is encoded, decoded and learned from, by the processor time of one thread.
 *
 *     bench_tokens VOCABULARY_FOLDER TEXT_FILE... [learn=N]       bench_tokens gpt2 reviews.json learn=8000
 *
 * The files are cut at line ends; a line is a text. Encoding and decoding show the best of some rounds over all lines
 * one by one; learning, of N tokens, runs once. Its last line is a hash of what was encoded and learned: two builds
 * that print the same did the same. */
#include "base/file.h"
#include "base/mem.h"
#include "measure.h"
#include "text/bpe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

typedef struct work {
    const tdm_bpe *b;
    tdm_buf bytes;
    int64_t *offset;
    size_t lines, cap;
    tdm_tokens tokens;
    tdm_buf back;
} work;

static void add_line(work *w, tdm_str line)
{
    if (tdm_grow(&w->offset, &w->cap, w->lines + 2, sizeof *w->offset)) bench_stop("not enough memory");
    w->offset[0] = 0;
    tdm_buf_add(&w->bytes, line.p, line.n);
    w->offset[++w->lines] = (int64_t)w->bytes.n;
}

static void add_file(work *w, const char *path)
{
    tdm_map m;
    tdm_err err;
    if (tdm_map_open(&m, path, &err)) bench_stop(err.msg);
    const char *p = (const char *)m.p, *end = p + m.n;
    while (p < end) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop + 1 : end;
        add_line(w, (tdm_str){p, (size_t)(stop - p)});
        p = stop;
    }
    tdm_map_close(&m);
}

static void encode(void *ctx)
{
    work *w = ctx;
    tdm_err err;
    w->tokens.n = 0;
    for (size_t i = 0; i < w->lines; i++)
        if (tdm_bpe_encode(w->b, &w->tokens,
                           (tdm_str){w->bytes.p + w->offset[i], (size_t)(w->offset[i + 1] - w->offset[i])}, &err))
            bench_stop(err.msg);
}

static void decode(void *ctx)
{
    work *w = ctx;
    tdm_buf_reset(&w->back);
    tdm_bpe_decode(w->b, &w->back, w->tokens.at, w->tokens.n);
}

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc < 3) bench_stop("bench_tokens VOCABULARY_FOLDER TEXT_FILE... [learn=N]");
    work w = {0};
    tdm_bpe *b;
    tdm_err err;
    size_t learn = 0;
    if (tdm_bpe_open(&b, argv[1], &err)) bench_stop(err.msg);
    w.b = b;
    for (int i = 2; i < argc; i++) {
        if (!strncmp(argv[i], "learn=", 6)) learn = strtoul(argv[i] + 6, NULL, 10);
        else add_file(&w, argv[i]);
    }
    if (w.bytes.failed || !w.bytes.n) bench_stop("there is no text to encode");
    double mb = (double)w.bytes.n / 1e6, seconds = bench_best(encode, &w);
    printf("encode  %8.1f MB/s  (%.1f MB, %zu lines, %zu tokens)\n", mb / seconds, mb, w.lines, w.tokens.n);
    uint64_t hash = XXH3_64bits(w.tokens.at, w.tokens.n * sizeof *w.tokens.at);
    seconds = bench_best(decode, &w);
    printf("decode  %8.1f MB/s\n", mb / seconds);
    if (w.back.n != w.bytes.n || memcmp(w.back.p, w.bytes.p, w.back.n)) bench_stop("decoded bytes differ");
    if (learn) {
        tdm_bpe *l;
        const tdm_strings texts = {w.bytes.p, w.offset, w.lines};
        double from = processor_seconds();
        if (tdm_bpe_learn(&l, &texts, learn, NULL, NULL, &err)) bench_stop(err.msg);
        seconds = processor_seconds() - from;
        printf("learn   %8.1f MB/s  (%zu tokens)\n", mb / seconds, tdm_bpe_size(l));
        w.b = l;
        encode(&w);
        hash ^= XXH3_64bits(w.tokens.at, w.tokens.n * sizeof *w.tokens.at);
        tdm_bpe_close(l);
    }
    printf("what came out hashes to %016" PRIx64 "\n", hash);
    tdm_bpe_close(b);
    tdm_buf_clear(&w.bytes);
    tdm_buf_clear(&w.back);
    tdm_free(w.offset);
    tdm_free(w.tokens.at);
    return 0;
}
