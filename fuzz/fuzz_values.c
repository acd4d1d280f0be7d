/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_values.c - any bytes as JSON, an object a line or over several, or Python. The last byte picks what is expected.
 * The pieces must be all of the text, what is not broken an object in braces, and blocks of any size must hold the
 * same. */
#include "agree.h"

#include "data/values.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void pieces_follow(tdm_str text)
{
    while (text.n) {
        tdm_str value;
        bool broken;
        size_t n = tdm_value_next(&value, &broken, text, true);
        if (!n || n > text.n) abort();
        if (value.n && (value.p < text.p || value.p + value.n > text.p + n)) abort();
        if (broken ? !value.n : value.n && (value.p[0] != '{' || value.p[value.n - 1] != '}')) abort();
        text.p += n;
        text.n -= n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    uint8_t a = steering(p, &n);
    tdm_str text = {(const char *)p, n};
    tdm_shape s = {.form = a & 1 ? TDM_FORM_VALUES : TDM_FORM_LINES, .items = a & 2, .python = a & 4};
    if (tdm_role_map_parse(&s.map, a & 8 ? "user=a,item=b,rating=asin" : NULL, NULL)) abort();
    pieces_follow(text);
    blocks_agree(&s, text);
    return 0;
}
