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
 * the expression sees the text, and is a piece by itself. */
#include "base/mem.h"
#include "base/status.h"
#include "base/utf8.h"
#include "text/inside.h"

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

/* `text` is UTF-8. */
static tdm_status cut_valid(const cutter *c, pcre2_match_data *found, tdm_str text, piece_fn *f, void *ctx,
                            tdm_err *err)
{
    tdm_status st = TDM_OK;
    for (size_t at = 0; !st && at < text.n;) {
        PCRE2_SPTR p = (PCRE2_SPTR)text.p;
        int n = pcre2_match(c->code, p, text.n, at, PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, found, NULL);
        if (n == PCRE2_ERROR_JIT_STACKLIMIT)
            n = pcre2_match(c->code, p, text.n, at, PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_NO_JIT, found, NULL);
        size_t end = n > 0 ? pcre2_get_ovector_pointer(found)[1] : at;
        if (end <= at)
            return tdm_fail(err, TDM_E_NOMEM, "cutting a text into words failed at byte %zu (PCRE2 says %d)", at, n);
        st = f(ctx, (tdm_str){text.p + at, end - at}, err);
        at = end;
    }
    return st;
}

tdm_status cutter_run(const cutter *c, tdm_str text, piece_fn *f, void *ctx, tdm_err *err)
{
    pcre2_match_data *found = pcre2_match_data_create(1, c->memory);
    if (!found) return tdm_nomem(err, "cutting a text into words");
    tdm_status st = TDM_OK;
    for (size_t from = 0, at = 0; !st && at < text.n;) {
        uint32_t ch;
        at += tdm_utf8_next((tdm_str){text.p + at, text.n - at}, &ch);
        bool bad = ch == TDM_UTF8_BAD;
        if (!bad && at < text.n) continue;
        st = cut_valid(c, found, (tdm_str){text.p + from, at - (bad ? 1 : 0) - from}, f, ctx, err);
        if (!st && bad) st = f(ctx, (tdm_str){text.p + at - 1, 1}, err);
        from = at;
    }
    pcre2_match_data_free(found);
    return st;
}
