/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_table.c - any bytes as a table of any dialect. The last two bytes pick it. Records must follow each other
 * without a gap, their cells lie in order inside of them, and blocks of any size must hold the same. */
#include "agree.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void records_follow(const tdm_dialect *d, tdm_str text)
{
    static tdm_cells c;
    while (text.n) {
        bool beyond;
        size_t n = tdm_table_next(&c, d, text, true), bytes = 0;
        if (!n || n > text.n || tdm_table_cut(&beyond, d, text, true) != n) abort();
        const char *at = text.p;
        for (size_t i = 0; i < c.n; i++) {
            tdm_str cell = tdm_cell(&c, i);
            bytes += cell.n;
            if (!c.cell[i].p) continue; /* put together elsewhere */
            if (cell.p < at || cell.p + cell.n > text.p + n) abort();
            at = cell.p + cell.n;
        }
        if (bytes > n || c.failed) abort();
        /* what is shorter than the record either shows the same or asks for more */
        for (size_t k = 1; k < n; k += 1 + k / 2)
            if (tdm_table_next(NULL, d, (tdm_str){text.p, k}, false)) abort();
        text.p += n;
        text.n -= n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const seps[] = {",", "\t", "::", ";", "|", " ", ",", ","};
    uint8_t a = steering(p, &n), b = steering(p, &n);
    tdm_str text = {(const char *)p, n};
    tdm_shape s = {.form = TDM_FORM_TABLE,
                   .dialect = {.columns = b & 7, .escapes = a & 8},
                   .flags = (a & 48) == 48,
                   .names_end = a >> 6 ? b : 0,
                   .used = {TDM_ROLE_USER, TDM_ROLE_ITEM, TDM_ROLE_RATING},
                   .n_used = 3};
    if (s.flags) s.dialect.columns += 19;
    memcpy(s.dialect.sep, seps[a & 7], strlen(seps[a & 7]));
    for (int k = 0; k < TDM_ROLES; k++) s.column[k] = -1;
    for (int k = 0; k < 3; k++)
        s.column[s.used[k]] = (int)s.dialect.columns - 1 - k > 0 ? (int)s.dialect.columns - 1 - k : 0;
    tdm_table_escapes(&s.dialect, text);
    records_follow(&s.dialect, text);
    blocks_agree(&s, text);
    return 0;
}
