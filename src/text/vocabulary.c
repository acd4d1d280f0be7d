/* SPDX-License-Identifier: Apache-2.0 */
/* vocabulary.c - tokens by number and by text, merges by pair, and the alphabet that bytes are written in. */
#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "base/utf8.h"
#include "text/inside.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

/* ---- alphabet ---- */

static bool printable(unsigned b) { return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174; }

uint32_t alphabet_of(uint8_t byte)
{
    unsigned b = byte;
    if (printable(b)) return b;
    return 256 + (b <= 32 ? b : b <= 160 ? b - 127 + 33 : 67);
}

int alphabet_byte(uint32_t c)
{
    if (c < 256) return printable(c) ? (int)c : -1;
    if (c < 256 + 33) return (int)(c - 256);
    if (c < 256 + 67) return (int)(c - 256 - 33 + 127);
    return c == 256 + 67 ? 173 : -1;
}

void alphabet_write(tdm_buf *out, tdm_str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) tdm_utf8_add(out, alphabet_of((uint8_t)bytes.p[i]));
}

bool alphabet_read(tdm_buf *out, tdm_str text)
{
    tdm_buf_reset(out);
    while (text.n) {
        uint32_t c;
        size_t n = tdm_utf8_next(text, &c);
        int b = alphabet_byte(c);
        if (b < 0) return false;
        tdm_buf_char(out, (char)b);
        text.p += n;
        text.n -= n;
    }
    return true;
}

/* ---- tokens ---- */

tdm_bpe *bpe_new(tdm_err *err)
{
    tdm_bpe *b = tdm_new(1, sizeof *b);
    if (!b) {
        tdm_nomem(err, "a tokenizer");
        return NULL;
    }
    for (size_t i = 0; i < 256; i++) b->byte[i] = UINT32_MAX;
    if (cutter_init(&b->cut, err)) {
        tdm_free(b);
        return NULL;
    }
    return b;
}

void tdm_bpe_close(tdm_bpe *b)
{
    if (!b) return;
    cutter_clear(&b->cut);
    tdm_buf_clear(&b->text);
    tdm_free(b->token);
    tdm_free(b->by_text);
    tdm_free(b->merge);
    tdm_free(b->by_pair);
    for (size_t i = 0; i < KEPT; i++) tdm_free(b->kept[i]);
    tdm_free(b);
}

tdm_str bpe_text(const tdm_bpe *b, uint32_t t) { return (tdm_str){b->text.p + b->token[t].at, b->token[t].n}; }

/* The slot that holds `text`, or the empty one where it would go. */
static size_t text_slot(const tdm_bpe *b, tdm_str text)
{
    size_t at = (size_t)XXH3_64bits(text.p, text.n) & (b->by_text_room - 1);
    while (b->by_text[at] && !tdm_str_eq(bpe_text(b, b->by_text[at] - 1), text)) at = (at + 1) & (b->by_text_room - 1);
    return at;
}

uint32_t bpe_find(const tdm_bpe *b, tdm_str text)
{
    return b->by_text_room ? b->by_text[text_slot(b, text)] - 1 : UINT32_MAX; /* 0 - 1 is UINT32_MAX */
}

/* Keeps the table of texts at most half full for n tokens. */
static bool text_room(tdm_bpe *b, size_t n)
{
    if (2 * n <= b->by_text_room) return true;
    size_t room = b->by_text_room ? b->by_text_room : 1024;
    while (room < 2 * n) room *= 2;
    uint32_t *table = tdm_new(room, sizeof *table);
    if (!table) return false;
    tdm_free(b->by_text);
    b->by_text = table;
    b->by_text_room = room;
    for (size_t t = 0; t < b->n; t++)
        if (b->token[t].kind != TOKEN_HOLE) table[text_slot(b, bpe_text(b, (uint32_t)t))] = (uint32_t)t + 1;
    return true;
}

tdm_status bpe_put(tdm_bpe *b, uint32_t t, int kind, tdm_str text, tdm_err *err)
{
    size_t n = t < b->n ? b->n : (size_t)t + 1;
    if (b->text.n + text.n > UINT32_MAX) return tdm_fail(err, TDM_E_ARG, "a vocabulary has more than 4 GiB of text");
    if (tdm_grow(&b->token, &b->token_cap, n, sizeof *b->token) || !text_room(b, n))
        return tdm_nomem(err, "a vocabulary");
    uint32_t at = (uint32_t)b->text.n;
    tdm_buf_add(&b->text, text.p, text.n);
    if (b->text.failed) return tdm_nomem(err, "a vocabulary");
    b->n = n;
    b->token[t] = (token){.at = at, .n = (uint32_t)text.n, .kind = (uint8_t)kind};
    b->by_text[text_slot(b, bpe_text(b, t))] = t + 1;
    if (kind == TOKEN_PLAIN && text.n == 1) b->byte[(uint8_t)text.p[0]] = t;
    return TDM_OK;
}

/* ---- merges ---- */

static size_t pair_slot(const tdm_bpe *b, uint32_t left, uint32_t right)
{
    size_t at = (size_t)tdm_mix64((uint64_t)left << 32 | right) & (b->by_pair_room - 1);
    while (b->by_pair[at]) {
        const merge *m = &b->merge[b->by_pair[at] - 1];
        if (m->left == left && m->right == right) break;
        at = (at + 1) & (b->by_pair_room - 1);
    }
    return at;
}

uint32_t bpe_rank(const tdm_bpe *b, uint32_t left, uint32_t right)
{
    return b->by_pair_room ? b->by_pair[pair_slot(b, left, right)] - 1 : UINT32_MAX;
}

static bool pair_room(tdm_bpe *b, size_t n)
{
    if (2 * n <= b->by_pair_room) return true;
    size_t room = b->by_pair_room ? 2 * b->by_pair_room : 1024;
    uint32_t *table = tdm_new(room, sizeof *table);
    if (!table) return false;
    tdm_free(b->by_pair);
    for (size_t i = 0; i < KEPT; i++) tdm_free(b->kept[i]);
    b->by_pair = table;
    b->by_pair_room = room;
    for (size_t r = 0; r < b->merges; r++) table[pair_slot(b, b->merge[r].left, b->merge[r].right)] = (uint32_t)r + 1;
    return true;
}

tdm_status bpe_merge(tdm_bpe *b, merge m, tdm_err *err)
{
    assert(m.left < b->n && m.right < b->n && m.result < b->n);
    if (tdm_grow(&b->merge, &b->merge_cap, b->merges + 1, sizeof *b->merge) || !pair_room(b, b->merges + 1))
        return tdm_nomem(err, "a vocabulary's merges");
    b->merge[b->merges] = m;
    b->by_pair[pair_slot(b, m.left, m.right)] = (uint32_t)++b->merges;
    return TDM_OK;
}

/* ---- special tokens ---- */

size_t tdm_bpe_size(const tdm_bpe *b) { return b->n; }

uint32_t tdm_bpe_special(const tdm_bpe *b, const char *name)
{
    uint32_t t = bpe_find(b, tdm_str_of(name));
    return t != UINT32_MAX && b->token[t].kind == TOKEN_SPECIAL ? t : UINT32_MAX;
}

/* A byte or the result of a merge is what text encodes to: it cannot be special as well. */
static bool reachable(const tdm_bpe *b, uint32_t t)
{
    if (b->token[t].n == 1) return true;
    for (size_t r = 0; r < b->merges; r++)
        if (b->merge[r].result == t) return true;
    return false;
}

tdm_status tdm_bpe_add_special(tdm_bpe *b, const char *const *special, tdm_err *err)
{
    for (; special && *special; special++) {
        tdm_str name = tdm_str_of(*special);
        if (!name.n || name.n > TOKEN_NAME_LIMIT || !tdm_utf8_valid(name))
            return tdm_fail(err, TDM_E_ARG, "a special token's name must be 1 to %d bytes of UTF-8", TOKEN_NAME_LIMIT);
        uint32_t t = bpe_find(b, name);
        if (t == UINT32_MAX) {
            if (b->n >= TOKEN_LIMIT)
                return tdm_fail(err, TDM_E_ARG, "a vocabulary has more than %d tokens", TOKEN_LIMIT);
            tdm_status st = bpe_put(b, (uint32_t)b->n, TOKEN_SPECIAL, name, err);
            if (st) return st;
        } else if (b->token[t].kind == TOKEN_PLAIN) {
            if (reachable(b, t))
                return tdm_fail(err, TDM_E_ARG, "\"%.*s\" cannot be a special token: plain text encodes to it",
                                TDM_STR_ARG(name));
            b->token[t].kind = TOKEN_SPECIAL;
        }
    }
    return TDM_OK;
}
