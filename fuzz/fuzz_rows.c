/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_rows.c - any bytes as a raw file: unpacked, looked at, read and cleaned. The first byte picks what is expected.
 */
#include "data/clean.h"
#include "data/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char *const formats[] = {NULL, "json", "csv", "tsv", "sequences", "table", NULL, NULL};
    if (n < 1) return 0;
    tdm_source *s;
    tdm_reader r;
    tdm_records *records;
    tdm_block block = {0};
    tdm_record rec;
    tdm_err err;
    const char *map = p[0] & 16 ? "user=2,item=1,rating=a" : NULL;
    if (tdm_source_open_bytes(&s, "input", p + 1, n - 1, &err)) return 0;
    if (tdm_reader_open_source(&r, s, p[0] & 8, formats[p[0] & 7], map, &err)) return 0;
    if (!tdm_records_open(&records, &r.shape, &err)) {
        tdm_buf text = {0};
        for (bool blocks = true; blocks && !tdm_block_next(&block, r.s, &r.shape, TDM_BLOCK, &blocks, &err);) {
            if (blocks) tdm_records_begin(records, &block);
            for (bool more = blocks; more && !tdm_records_next(records, &rec, &more, &err);)
                for (int k = 0; more && k < TDM_ROLES; k++) {
                    double v;
                    int64_t t;
                    tdm_buf_reset(&text);
                    tdm_clean_text(&text, rec.value[k], 100);
                    tdm_clean_id(&text, rec.value[k]);
                    tdm_clean_number(&v, rec.value[k]);
                    tdm_clean_time(&t, rec.value[k]);
                    tdm_clean_no_title(rec.value[k]);
                }
        }
        tdm_buf_clear(&text);
        tdm_records_close(records);
    }
    tdm_block_clear(&block);
    tdm_reader_close(&r);
    return 0;
}
