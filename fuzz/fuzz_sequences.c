/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sequences.c - any bytes as lines of a person and their items. There must be a record for each word behind a
 * line's first, or one for a line of one word, wherever the file is cut. */
#include "agree.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    tdm_shape s = {.form = TDM_FORM_SEQUENCES};
    size_t records = 0, words = 0;
    bool inside = false;
    for (size_t i = 0; i <= n; i++) {
        bool end = i == n || p[i] == '\n', gap = end || memchr(" \t\r", p[i], 3);
        words += !inside && !gap;
        inside = !gap;
        if (!end) continue;
        records += words > 1 ? words - 1 : words;
        words = 0;
    }
    if (blocks_agree(&s, (tdm_str){(const char *)p, n}) != records) abort();
    return 0;
}
