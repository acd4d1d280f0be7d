/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_bpe.c - any bytes as a vocabulary's files, as text to learn from and as text to encode.
 *
 * Input: [vocab.json, and tokenizer.json of another folder] 0xfe [merges.txt] 0xfe [text]. A vocabulary that opens must
 * encode and decode the text without harm; one learned from the input must give the text back exactly. */
#include "base/file.h"
#include "base/mem.h"
#include "text/bpe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static tdm_str part(const uint8_t **p, const uint8_t *end)
{
    const uint8_t *stop = memchr(*p, 0xfe, (size_t)(end - *p));
    tdm_str s = {(const char *)*p, (size_t)((stop ? stop : end) - *p)};
    *p = stop ? stop + 1 : end;
    return s;
}

static void through(const tdm_bpe *b, tdm_str text, bool exact)
{
    tdm_tokens t = {0};
    tdm_buf back = {0};
    if (tdm_bpe_encode(b, &t, text, NULL)) abort();
    for (size_t i = 0; i < t.n; i++)
        if (t.at[i] >= tdm_bpe_size(b) || t.at[i] == tdm_bpe_special(b, "<|endoftext|>")) abort();
    tdm_bpe_decode(b, &back, t.at, t.n);
    if (exact && (back.n != text.n || (text.n && memcmp(back.p, text.p, text.n)))) abort();
    tdm_free(t.at);
    tdm_buf_clear(&back);
}

/* The folders are made once and kept: files in memory, written over for every input. */
enum { PAIR, ONE };
static const char *folder(int which)
{
    static char path[2][64];
    if (!path[which][0]) {
        snprintf(path[which], sizeof path[which], "/dev/shm/tdm-fuzz-bpe-%ld-%d", (long)getpid(), which);
        if (tdm_folder_make(path[which], NULL)) abort();
    }
    return path[which];
}

static void put(int which, const char *name, tdm_str s)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder(which), name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(s.p, 1, s.n, f) != s.n || fclose(f)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const special[] = {"<|endoftext|>", NULL};
    const uint8_t *p = data, *end = data + size;
    tdm_str vocab = part(&p, end), merges = part(&p, end), text = part(&p, end);
    tdm_bpe *b;
    put(PAIR, "vocab.json", vocab);
    put(PAIR, "merges.txt", merges);
    put(ONE, "tokenizer.json", vocab);
    for (int which = PAIR; which <= ONE; which++) {
        if (!tdm_bpe_open(&b, folder(which), NULL)) through(b, text, false);
        tdm_bpe_close(b);
    }
    const int64_t offset[] = {0, (int64_t)size};
    const tdm_strings all = {(const char *)data, offset, 1};
    if (tdm_bpe_learn(&b, &all, 300, special, NULL, NULL)) abort();
    through(b, (tdm_str){(const char *)data, size}, true);
    through(b, text, true);
    tdm_bpe_close(b);
    return 0;
}
