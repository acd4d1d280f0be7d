/* SPDX-License-Identifier: Apache-2.0 */
#include "agree.h"

#include <stdio.h>
#include <stdlib.h>

size_t blocks_agree(const tdm_shape *shape, tdm_str text)
{
    static const size_t sizes[] = {1, 7, 64, 4096, SIZE_MAX};
    static tdm_buf want, got;
    tdm_records *r;
    if (tdm_records_open(&r, shape, NULL)) abort();
    tdm_buf_reset(&want);
    size_t n = records_of_text(&want, r, shape, text, 0, 0);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        if (k && sizes[k - 1] > text.n) continue; /* one block already */
        tdm_buf_reset(&got);
        records_of_text(&got, r, shape, text, sizes[k], 0);
        const char *differ = records_differ(&want, &got);
        if (!differ) continue;
        fprintf(stderr, "blocks of %zu bytes, %s\n", sizes[k], differ);
        abort();
    }
    tdm_records_close(r);
    return n;
}

uint8_t steering(const uint8_t *p, size_t *n)
{
    if (!*n) return 0;
    --*n;
    return p[*n] ^ '\n';
}
