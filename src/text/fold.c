/* SPDX-License-Identifier: Apache-2.0 */
#include "text/fold.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <utf8proc.h>

static const utf8proc_option_t how =
    UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_IGNORE | UTF8PROC_CASEFOLD;

/* Appends valid UTF-8, decomposed and folded. */
static bool run_add(tdm_folded *out, tdm_str s)
{
    for (;;) {
        size_t room = out->cap - out->n;
        utf8proc_ssize_t n = utf8proc_decompose((const uint8_t *)s.p, (utf8proc_ssize_t)s.n,
                                                room ? out->at + out->n : NULL, (utf8proc_ssize_t)room, how);
        if (n < 0) return false; /* its one failure on valid text is a length beyond all memory */
        if ((size_t)n <= room) {
            out->n += (size_t)n;
            return true;
        }
        if (tdm_grow(&out->at, &out->cap, out->n + (size_t)n, sizeof *out->at)) return false;
    }
}

static bool bad_add(tdm_folded *out)
{
    if (tdm_grow(&out->at, &out->cap, out->n + 1, sizeof *out->at)) return false;
    out->at[out->n++] = 0xfffd;
    return true;
}

static bool blank(int32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 ||
           (c > 0x85 && utf8proc_category(c) >= UTF8PROC_CATEGORY_ZS && utf8proc_category(c) <= UTF8PROC_CATEGORY_ZP);
}

/* One blank for many, none at the ends, plain apostrophes and hyphens. */
static void plain(tdm_folded *out)
{
    size_t n = 0;
    bool gap = false;
    for (size_t i = 0; i < out->n; i++) {
        int32_t c = out->at[i];
        if (blank(c)) {
            gap = n > 0;
            continue;
        }
        if (gap) out->at[n++] = ' ';
        gap = false;
        out->at[n++] = c == 0x2018 || c == 0x2019 || c == 0x2bc ? '\'' : c == 0x2010 ? '-' : c;
    }
    out->n = n;
}

tdm_status tdm_fold(tdm_folded *out, tdm_str text, tdm_err *err)
{
    bool ok = true;
    out->n = 0;
    while (ok && text.n) {
        size_t valid = 0, n = 0;
        uint32_t c = 0;
        while (valid < text.n && c != TDM_UTF8_BAD) {
            n = tdm_utf8_next((tdm_str){text.p + valid, text.n - valid}, &c);
            if (c != TDM_UTF8_BAD) valid += n;
        }
        bool bad = valid < text.n;
        ok = (!valid || run_add(out, (tdm_str){text.p, valid})) && (!bad || bad_add(out));
        text.p += valid + bad;
        text.n -= valid + bad;
    }
    if (!ok) return tdm_nomem(err, "a text to compare");
    utf8proc_ssize_t n = out->n ? utf8proc_normalize_utf32(out->at, (utf8proc_ssize_t)out->n, how) : 0;
    out->n = n > 0 ? (size_t)n : 0;
    plain(out);
    return TDM_OK;
}

/* ---- ends of words ---- */

static bool in_word(int32_t c)
{
    utf8proc_category_t k = utf8proc_category(c);
    return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_NO;
}

static bool mark(int32_t c)
{
    utf8proc_category_t k = utf8proc_category(c);
    return k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME;
}

static bool unspaced(int32_t c)
{
    return (c >= 0xe00 && c <= 0xeff) || (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff) ||
           (c >= 0x2e80 && c <= 0x2fdf) || (c >= 0x3005 && c <= 0x309f) || (c >= 0x3400 && c <= 0x9fff) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

bool tdm_fold_parts(int32_t before, int32_t behind)
{
    if (!in_word(before) || !in_word(behind)) return true;
    return (unspaced(before) || unspaced(behind)) && !mark(behind);
}
