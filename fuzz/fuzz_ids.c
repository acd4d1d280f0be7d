/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ids.c - any bytes as a list of ids, one a line. There must be one for each line that has more than white space
 * and does not begin with #, in place, in order, and without ASCII white space at its ends. */
#include "api/ask.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool white(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    tdm_str rest = {(const char *)p, n}, id;
    for (size_t from = 0, i = 0; i <= n; i++) {
        if (i < n && p[i] != '\n') continue;
        size_t to = i;
        while (from < to && white(p[from])) from++;
        while (from < to && white(p[to - 1])) to--;
        if (from < to && p[from] != '#') {
            if (!tdm_ids_next(&id, &rest)) abort();
            if (id.p != (const char *)p + from || id.n != to - from) abort();
        }
        from = i + 1;
    }
    if (tdm_ids_next(&id, &rest)) abort();
    return 0;
}
