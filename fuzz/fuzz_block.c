/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_block.c - any bytes as a list of blocked words, then, behind the first NUL, as a text. What is found is what a
 * plain search for each line finds; every entry is found in itself, and between other words. */
#include "base/mem.h"
#include "base/utf8.h"
#include "text/block.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool border(const tdm_folded *t, size_t at)
{
    return at == 0 || at == t->n || tdm_fold_parts(t->at[at - 1], t->at[at]);
}

static bool holds(const tdm_folded *t, const tdm_folded *word)
{
    for (size_t at = 0; at + word->n <= t->n; at++)
        if (!memcmp(t->at + at, word->at, word->n * sizeof *word->at) && border(t, at) && border(t, at + word->n))
            return true;
    return false;
}

static void must_find(const tdm_block *b, const char *before, tdm_str word, const char *behind)
{
    tdm_buf s = {0};
    bool found;
    tdm_buf_str(&s, before);
    tdm_buf_add(&s, word.p, word.n);
    tdm_buf_str(&s, behind);
    if (s.failed || tdm_block_find(b, &found, (tdm_str){s.p, s.n}, NULL, NULL) || !found) abort();
    tdm_buf_clear(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const uint8_t *nul = n ? memchr(p, 0, n) : NULL;
    tdm_str list = {(const char *)p, nul ? (size_t)(nul - p) : n};
    tdm_str text = nul ? (tdm_str){(const char *)nul + 1, n - list.n - 1} : list;
    tdm_block *b;
    tdm_folded whole = {0}, word = {0};
    tdm_err err = {{0}};
    bool found, plainly = false;
    if (tdm_block_open(&b, NULL) || tdm_fold(&whole, text, NULL)) abort();
    tdm_status st = tdm_block_read(b, "list", list, &err);
    if (st && (st != TDM_E_FORMAT || !err.msg[0] || tdm_block_size(b))) abort();
    if (tdm_block_find(b, &found, text, NULL, NULL)) abort();
    if (list.n >= 3 && !memcmp(list.p, "\xef\xbb\xbf", 3)) {
        list.p += 3;
        list.n -= 3;
    }
    for (size_t from = 0, i = 0; !st && i <= list.n; i++) {
        if (i < list.n && list.p[i] != '\n') continue;
        tdm_str line = tdm_str_trim((tdm_str){list.p + from, i - from});
        from = i + 1;
        if (!line.n || line.p[0] == '#') continue;
        if (tdm_fold(&word, line, NULL) || !word.n) abort();
        plainly = plainly || holds(&whole, &word);
        must_find(b, "", line, "");
        must_find(b, "Is \t", line, "\xe2\x80\x83 so");
    }
    if (found != plainly) abort();
    tdm_free(whole.at);
    tdm_free(word.at);
    tdm_block_close(b);
    return 0;
}
