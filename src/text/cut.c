/* SPDX-License-Identifier: Apache-2.0 */
/* cut.c - text cut into the pieces that merges stay inside of.
 *
 * GPT-2's expression (openai/gpt-2, src/encoder.py) is
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * \s is spelled out below: there it is Unicode's White_Space, while PCRE2's also holds U+180E. The possessive plus
 * gives the same pieces (nothing follows it that could fail) and keeps a megabyte of one letter off the stack. Every
 * character matches some branch, so pieces follow each other without gaps. A byte that is not UTF-8 is cut out before
 * the expression sees the text, and is a piece by itself.
 *
 * Most text is ASCII, where the branches are short enough to be followed by hand; tests hold the two against each
 * other. */
#include "base/mem.h"
#include "base/status.h"
#include "base/utf8.h"
#include "text/inside.h"

#include <string.h>

#define S "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
static const char expression[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}++| ?\\p{N}++| ?[^" S "\\p{L}\\p{N}]++|[" S "]+(?![^" S "])|[" S "]+";

static void *give(PCRE2_SIZE n, void *ctx)
{
    (void)ctx;
    return tdm_new(1, n);
}

static void take(void *p, void *ctx)
{
    (void)ctx;
    tdm_free(p);
}

tdm_status cutter_init(cutter *c, tdm_err *err)
{
    int error;
    PCRE2_SIZE at;
    *c = (cutter){.memory = pcre2_general_context_create(give, take, NULL)};
    if (!c->memory) return tdm_nomem(err, "the tokenizer's expression");
    pcre2_compile_context *how = pcre2_compile_context_create(c->memory);
    if (how)
        c->code = pcre2_compile((PCRE2_SPTR)expression, sizeof expression - 1, PCRE2_UTF | PCRE2_UCP, &error, &at, how);
    pcre2_compile_context_free(how);
    if (!c->code) {
        cutter_clear(c);
        return tdm_nomem(err, "the tokenizer's expression");
    }
    (void)pcre2_jit_compile(c->code, PCRE2_JIT_COMPLETE); /* where it cannot, matching is interpreted: slower, equal */
    return TDM_OK;
}

void cutter_clear(cutter *c)
{
    pcre2_code_free(c->code);
    pcre2_general_context_free(c->memory);
    *c = (cutter){0};
}

/* ---- ASCII by hand ----
 *
 * Of ASCII, \p{L} is A-Z and a-z, \p{N} is 0-9, White_Space is 9-13 and 32; all else is the fourth branch's. A piece
 * that ends before a byte from 128 up, or at it, is the expression's to cut. */

enum { LETTER = 1, DIGIT = 2, SPACE = 4, OTHER = 8, FOREIGN = 16 };

#define R2(x) x, x
#define R4(x) R2(x), R2(x)
#define R8(x) R4(x), R4(x)
#define R16(x) R8(x), R8(x)
#define R32(x) R16(x), R16(x)
#define R26(x) R16(x), R8(x), R2(x)
static const uint8_t class_of[256] = {
    R8(OTHER), OTHER,       R4(SPACE), SPACE,     R16(OTHER),   R2(OTHER),    SPACE,        R8(OTHER),   R4(OTHER),
    R2(OTHER), OTHER,       R8(DIGIT), R2(DIGIT), R4(OTHER),    R2(OTHER),    OTHER,        R26(LETTER), R4(OTHER),
    R2(OTHER), R26(LETTER), R4(OTHER), OTHER,     R32(FOREIGN), R32(FOREIGN), R32(FOREIGN), R32(FOREIGN)};

/* The bytes of a contraction that stands at p; 0: none does. */
static size_t contraction(const uint8_t *p, size_t n)
{
    if (n < 2) return 0;
    if (p[1] == 's' || p[1] == 't' || p[1] == 'm' || p[1] == 'd') return 2;
    if (n < 3) return 0;
    return ((p[1] == 'r' || p[1] == 'v') && p[2] == 'e') || (p[1] == 'l' && p[2] == 'l') ? 3 : 0;
}

/* The bytes of the piece that the n > 0 bytes at p begin with; 0: not by ASCII alone. */
static size_t ascii_piece(const uint8_t *p, size_t n)
{
    if (*p == '\'') {
        size_t c = contraction(p, n);
        if (c) return c;
    }
    size_t i = *p == ' ' && n > 1 && class_of[p[1]] != SPACE;
    unsigned class = class_of[p[i]];
    if (class == FOREIGN) return 0;
    while (++i < n && class_of[p[i]] == class) {}
    if (i == n) return n;
    if (class_of[p[i]] == FOREIGN) return 0;
    return class == SPACE && i > 1 ? i - 1 : i; /* the last blank goes to what follows */
}

/* ---- the whole ---- */

/* `text` is UTF-8. */
static tdm_status cut_valid(const cutter *c, pcre2_match_data **found, tdm_str text, piece_fn *f, void *ctx,
                            tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (size_t at = 0; !st && at < text.n;) {
        size_t plain = ascii_piece((const uint8_t *)text.p + at, text.n - at);
        if (plain) {
            st = f(ctx, (tdm_str){text.p + at, plain}, err);
            at += plain;
            continue;
        }
        if (!*found && !(*found = pcre2_match_data_create(1, c->memory)))
            return tdm_nomem(err, "cutting a text into words");
        PCRE2_SPTR p = (PCRE2_SPTR)text.p;
        int n = pcre2_match(c->code, p, text.n, at, PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, *found, NULL);
        if (n == PCRE2_ERROR_JIT_STACKLIMIT)
            n = pcre2_match(c->code, p, text.n, at, PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_NO_JIT, *found, NULL);
        size_t end = n > 0 ? pcre2_get_ovector_pointer(*found)[1] : at;
        if (end <= at)
            return tdm_fail(err, TDM_E_NOMEM, "cutting a text into words failed at byte %zu (PCRE2 says %d)", at, n);
        st = f(ctx, (tdm_str){text.p + at, end - at}, err);
        at = end;
    }
    return st;
}

/* ASCII bytes from `at` on, found eight at a time. */
static size_t skip_ascii(tdm_str text, size_t at)
{
    for (uint64_t w; text.n - at >= sizeof w; at += sizeof w) {
        memcpy(&w, text.p + at, sizeof w);
        if (w & 0x8080808080808080u) break;
    }
    while (at < text.n && (uint8_t)text.p[at] < 128) at++;
    return at;
}

tdm_status cutter_run(const cutter *c, tdm_str text, piece_fn *f, void *ctx, tdm_err *err)
{
    pcre2_match_data *found = NULL; /* made for the first piece that needs it */
    tdm_status st = TDM_OK;
    for (size_t from = 0, at = 0; !st && at < text.n;) {
        uint32_t ch = 0;
        at = skip_ascii(text, at);
        if (at < text.n) at += tdm_utf8_next((tdm_str){text.p + at, text.n - at}, &ch);
        bool bad = ch == TDM_UTF8_BAD;
        if (!bad && at < text.n) continue;
        st = cut_valid(c, &found, (tdm_str){text.p + from, at - (bad ? 1 : 0) - from}, f, ctx, err);
        if (!st && bad) st = f(ctx, (tdm_str){text.p + at - 1, 1}, err);
        from = at;
    }
    pcre2_match_data_free(found);
    return st;
}
