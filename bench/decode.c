/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c - how fast a GPT-2 of 124 million weights reads and writes, beside what reading its weights takes.
 *
 *     bench_decode [threads]      (default: all)
 *
 * Weights are random: they cost as much as learned ones. The rate of reading is measured in the same run, the same
 * threads over as many bytes as the weights have. */
#include "measure.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/run.h"
#include "gpt2/decode.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROMPT = 512, TOKENS = 24, MANY = 16, ROUNDS = 5, PIECE = 1 << 18 };
static const tdm_gpt2_shape shape = {.V = 50257, .T = 1024, .C = 768, .L = 12, .H = 12};

static void read_piece(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const float *x = ctx;
    (void)chunk;
    volatile float sum = tdm_kernels_best()->sum(x + begin, end - begin);
    (void)sum;
}

/* Bytes a second, the best of some rounds. */
static double reading(const float *x, size_t n, tdm_pool *pool)
{
    double best = 0;
    for (int r = 0; r < ROUNDS; r++) {
        double began = tdm_seconds();
        tdm_pool_for(pool, n, PIECE, read_piece, (void *)(size_t)x);
        double rate = (double)(n * sizeof *x) / (tdm_seconds() - began);
        if (rate > best) best = rate;
    }
    return best;
}

/* Seconds of one step of n texts with their logits, the best round's mean. */
static double stepping(tdm_decoder *d, size_t n, float *logits)
{
    tdm_err err;
    size_t text[MANY];
    uint32_t token[MANY];
    double best = 1e9;
    for (size_t i = 0; i < n; i++) text[i] = i;
    for (int r = 0; r < ROUNDS; r++) {
        double began = tdm_seconds();
        for (size_t k = 0; k < TOKENS; k++) {
            for (size_t i = 0; i < n; i++) token[i] = (uint32_t)(1000 * i + 37 * k);
            if (tdm_decoder_step(d, text, token, n, &err)) bench_stop(err.msg);
            tdm_decoder_logits(d, logits, n);
        }
        double seconds = (tdm_seconds() - began) / TOKENS;
        if (seconds < best) best = seconds;
        for (size_t i = 0; i < n; i++) tdm_decoder_rewind(d, i, 0);
    }
    return best;
}

static double prompting(tdm_decoder *d)
{
    tdm_err err;
    uint32_t token[PROMPT];
    double best = 1e9;
    for (size_t i = 0; i < PROMPT; i++) token[i] = (uint32_t)(97 * i);
    for (int r = 0; r < ROUNDS; r++) {
        tdm_decoder_rewind(d, 0, 0);
        double began = tdm_seconds();
        if (tdm_decoder_feed(d, 0, token, PROMPT, &err)) bench_stop(err.msg);
        double seconds = tdm_seconds() - began;
        if (seconds < best) best = seconds;
    }
    tdm_decoder_rewind(d, 0, 0);
    return best;
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"fp32", "bf16", "int8"};
    tdm_err err;
    tdm_run *run;
    tdm_gpt2 *g;
    if (tdm_run_open(&run, &(tdm_run_options){.threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, .seed = 1}, &err) ||
        tdm_gpt2_open(&g, shape, &err))
        bench_stop(err.msg);
    tdm_gpt2_init(g, 3);
    float *logits = tdm_new(MANY, shape.V * sizeof *logits);
    if (!logits) bench_stop("not enough memory");
    double bandwidth = reading(g->block, g->n, run->pool);
    printf("%zu threads read %.1f GB/s\n", tdm_pool_threads(run->pool), bandwidth / 1e9);
    for (int kind = TDM_WEIGHTS_F32; kind <= TDM_WEIGHTS_I8; kind++) {
        tdm_gpt2_packed *p;
        tdm_decoder *d;
        if (tdm_gpt2_packed_open(&p, g, (tdm_weights)kind, run->pool, &err) ||
            tdm_decoder_open(&d, p, MANY, shape.T, run->pool, &err))
            bench_stop(err.msg);
        double bytes = (double)tdm_gpt2_packed_bytes(p), one = stepping(d, 1, logits), many = stepping(d, MANY, logits);
        double read = reading(g->block, g->n, run->pool); /* in the same minute */
        if (read > bandwidth) bandwidth = read;
        printf(
            "%s  %6.1f MB a token  one text %6.1f tokens/s, %5.1f GB/s, %3.0f %% of reading   %d texts %6.1f tokens/s, "
            "%.1f x",
            kinds[kind], bytes / 1e6, 1 / one, bytes / one / 1e9, 100 * bytes / one / bandwidth, MANY, MANY / many,
            MANY * one / many);
        if (kind == TDM_WEIGHTS_F32) printf("   prompt of %d %6.1f tokens/s", PROMPT, PROMPT / prompting(d));
        printf("\n");
        tdm_decoder_close(d);
        tdm_gpt2_packed_close(p);
    }
    tdm_free(logits);
    tdm_gpt2_close(g);
    tdm_run_close(run);
    return 0;
}
