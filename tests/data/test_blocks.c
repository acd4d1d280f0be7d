/* SPDX-License-Identifier: Apache-2.0 */
/* test_blocks.c - wherever a file is cut into blocks, its records are the same: those of the file read in one piece. */
#include "check.h"
#include "records_text.h"

#include "base/rng.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t sizes[] = {1, 7, 64, 4096, SIZE_MAX};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Reads it through a source in every size of block; how many records there are. */
static size_t check_file(const char *name, tdm_str file, bool items, const char *format, const char *map)
{
    tdm_err err;
    tdm_buf want = {0}, got = {0};
    size_t n = 0;
    for (size_t k = 0; k < SIZES; k++) {
        tdm_source *s;
        tdm_reader r;
        tdm_records *records;
        tdm_block block = {0};
        CHECK_OK(tdm_source_open_bytes(&s, name, file.p, file.n, &err), err);
        if (tdm_reader_open_source(&r, s, items, format, map, &err)) {
            if (format) fail_msg("%s", err.msg); /* where it is said what the file is, it must be read */
            return 0;
        }
        CHECK_OK(tdm_records_open(&records, &r.shape, &err), err);
        if (k == 0) {
            CHECK_OK(tdm_source_fill(r.s, file.n + 1, &err), err);
            n = records_of_text(&want, records, &r.shape, tdm_source_ahead(r.s), 0, tdm_source_offset(r.s));
        }
        tdm_buf_reset(&got);
        for (bool more = true;;) {
            CHECK_OK(tdm_block_next(&block, r.s, &r.shape, sizes[k], &more, &err), err);
            if (!more) break;
            records_of_block(&got, records, &block);
        }
        const char *differ = records_differ(&want, &got);
        if (differ) fail_msg("%s, %s: blocks of %zu bytes, %s", name, r.shape.text, sizes[k], differ);
        tdm_block_clear(&block);
        tdm_records_close(records);
        tdm_reader_close(&r);
    }
    CHECK(!want.failed && !got.failed);
    tdm_buf_clear(&want);
    tdm_buf_clear(&got);
    return n;
}

/* ---- samples of all formats ---- */

static void samples_read_the_same_in_any_blocks(void **state)
{
    (void)state;
    const char *folder = TDM_SOURCE_DIR "/tests/formats/samples";
    DIR *d = opendir(folder);
    size_t read = 0;
    CHECK(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[512], bytes[1 << 14];
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        FILE *f = fopen(path, "rb");
        CHECK(f);
        tdm_str file = {bytes, fread(bytes, 1, sizeof bytes, f)};
        fclose(f);
        CHECK(file.n < sizeof bytes);
        bool log = check_file(e->d_name, file, false, NULL, NULL),
             items = check_file(e->d_name, file, true, NULL, NULL);
        read += log || items;
    }
    closedir(d);
    CHECK(read > 60); /* of about 110, a dozen of which are there to be refused */
}

/* ---- files made to be hard to cut ---- */

typedef struct hard {
    const char *name, *format, *map, *text;
    size_t records;
} hard;

#define ROWS "u1,i1,5\nu2,i2,4\nu3,i3,3\nu4,i4,2\nu1,i2,1\nu2,i3,5\nu3,i1,4\nu4,i1,3\n"
#define TABS "u1\ti1\t5\nu2\ti2\t4\nu3\ti3\t3\nu4\ti4\t2\nu1\ti2\t1\nu2\ti3\t5\n"
/* one object over so many lines that the file is none of an object a line */
#define OVER "[{\n\"user\":\n\"u0\",\n\"item\"\n:\n\"i0\"\n,\n\"x\":\n1\n,\n\"y\":\n2\n}\n,\n"
#define CSV "user,item,rating\n" ROWS
#define JSON                                                                                                           \
    "{\"user\": \"u1\", \"item\": \"i1\", \"rating\": 5}\n{\"user\": \"u2\", \"item\": \"i2\", \"rating\": 4}\n"

static void hard_files_read_the_same_in_any_blocks(void **state)
{
    (void)state;
    static const hard cases[] = {
        {"blank lines before the names", "csv", NULL, "\n\r\n  \n\"\"\n" CSV, 8},
        {"names with a line's end", "csv", "user=user,item=item", "user,item,\"rating\nof it\"\n" ROWS, 8},
        {"names with a stray quote", "csv", "user=user,item=item", "user,item,\"rating\n" ROWS, 8},
        {"no end of the last line", "csv", NULL, CSV "u5,i5,1", 9},
        {"a mark, and nothing but names", "csv", NULL, "\xef\xbb\xbfuser,item,rating\n,,", 1},
        {"two bytes at a line's end", "csv", NULL,
         "user,item,rating\r\nu1,i1,\"5\"\r\nu2,\"i\r\n2\",4\r\n\r\nu3,i3,3\r\n", 3},
        {"quotes over lines", "csv", NULL, CSV "\"u\n5\",\"i\n\n5\",\"5\"\n\"u6\",\"i\"\"\n\"\"6\",4\n" ROWS, 18},
        {"a quote that closes nowhere", "csv", NULL, CSV "u5,\"i5,1\n" ROWS ROWS, 25},
        {"several of them", "csv", NULL, CSV "u5,\"i5,1\n" ROWS "\"u6,\"i6,2\nu7,i7,\"3\n" ROWS, 27},
        {"a quote that closes in another row", "csv", NULL, CSV "u5,\"i5,1\n" ROWS "u6,i6\",2\n" ROWS, 26},
        /* the first quote closes a line on; the second only far behind, which makes the first a stray one */
        {"cells that depend on what is far", "csv", NULL, CSV "\"u5\nx\",i5,\"y\n" ROWS "u6,i6,z\",w\n" ROWS, 27},
        {"the same, but for the number of cells", "csv", NULL, CSV "\"u5\nx\",\"i5\n" ROWS "u6,z\",w\n" ROWS, 17},
        {"a quote as the last byte", "csv", NULL, CSV "u5,i5,\"", 9},
        {"quotes behind backslashes", "csv", NULL,
         CSV "u5,\"i\\\"x\n5\\\\\",1\nu6,\"i\\\"y\",2\n" ROWS "\"u7\\\",\"i7\",3\n", 19},
        {"columns too many and too few", "csv", NULL, CSV "u5,i5\nu6,i6,1,2\nu7,i7,3,\n\n,\n,,,\n" ROWS ROWS ROWS, 37},
        {"two colons", "table", NULL,
         "u1::i1::5::100\nu2::\"i\n2\"::4::101\nu3::i3:3::102\nu4::i4::2::103\nu1::i2::1::104\n", 5},
        {"tabs, and blanks instead", "tsv", NULL,
         "user\titem\trating\nu1\ti1\t5\nu2 i2 4\nu3\t\"i3\t3\nu4\ti4\t\"2\"\n\t\t\n \nx\n" TABS TABS, 18},
        {"runs of blanks", "table", NULL, "user item rating\nu1  i1 5\n u2 i2 4\nu3 i3 \t3\n\n \nu4 i4\n", 4},
        {"people and their items", "sequences", NULL, "u1 i1 i2 i3\r\n\nu2\n  \nu3 i1\tI2  i3 \nu4 i9", 8},
        {"objects a line", "json", NULL, JSON "\n[]\nnothing\n{\"user\": \n" JSON "  " JSON ",", 8},
        {"several objects a line", "json", NULL,
         JSON "{\"user\": \"u3\", \"item\": \"i3\"} {\"user\": \"u4\", \"item\": \"i4\"},{\"user\": 5, \"item\"\n" JSON,
         7},
        {"objects over lines", "json", NULL,
         "[{\n\"user\": \"u1\",\n\"item\": \"i\n1\"\n}\n,\n{\n\"user\": \"}\\\"{\",\n\"item\": \"i2\"\n}\n]\n" JSON, 4},
        {"an object that never closes", "json", NULL,
         OVER "{\n\"user\": \"u1\",\n\"item\": \"i1\"\n\n\n,\n" JSON JSON "]", 6},
        {"a text that never closes", "json", NULL, OVER "{\n\"user\": \"u1\",\n\"item\": \"i1\n}\n,\n" JSON JSON "]",
         6},
        {"an object behind a closed one", "json", NULL,
         OVER "{\n\"user\": \"u1\",\n\"x\": {} {\"item\": \"i1\n}\n,\n" JSON JSON "]", 6},
        {"words between objects", "json", NULL,
         OVER "{\n\"user\": \"u1\",\n\"item\": \"i1\"} what {\n is it\n" JSON "no\n" JSON "]", 9},
        {"Python", "json", NULL,
         "{'user': 'u1',\n 'item': \"i'1\"}\n{'user': u'u\\'2', 'item': 'i2'}\n{'user': 'u3, 'item': 'i3'}\n" JSON, 6},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const hard *c = &cases[k];
        size_t n = check_file(c->name, tdm_str_of(c->text), false, c->format, c->map);
        if (n != c->records) fail_msg("%s: %zu records", c->name, n);
    }
}

/* ---- drawn at random ---- */

static const char *const table_pieces[] = {"\"", "\"",   "\"\"", "\\\"", ",",   ",", "\n",
                                           "\n", "\r\n", "\r",   "a",    "b c", " ", "1"};
static const char *const value_pieces[] = {
    "{",        "}", "{\"user\": 1, \"item\": 2}", "\"", "'", "\\", "\n", "\n{", ",", "[", "]", " ", ":",
    "\"item\"", "x", "{\"user\": \"u\", \"item\":"};

/* What comes of pieces put together at random, with a shape that is simply said. */
static void random_files_read_the_same_in_any_blocks(void **state)
{
    (void)state;
    tdm_rng rng = tdm_rng_make(3, 1, 4);
    tdm_buf text = {0}, want = {0}, got = {0};
    tdm_err err;
    for (int k = 0; k < 40000; k++) {
        tdm_shape shape = {.form = k & 1 ? TDM_FORM_VALUES : TDM_FORM_TABLE,
                           .dialect = {.sep = ",", .columns = 2 + tdm_rng_below(&rng, 2), .escapes = k & 2},
                           .used = {TDM_ROLE_USER, TDM_ROLE_ITEM},
                           .n_used = 2};
        shape.column[TDM_ROLE_ITEM] = 1;
        const char *const *piece = k & 1 ? value_pieces : table_pieces;
        size_t pieces = k & 1 ? sizeof value_pieces / sizeof *piece : sizeof table_pieces / sizeof *piece;
        tdm_buf_reset(&text);
        for (size_t n = 1 + tdm_rng_below(&rng, 60); n--;) tdm_buf_str(&text, piece[tdm_rng_below(&rng, pieces)]);
        tdm_records *records;
        CHECK_OK(tdm_records_open(&records, &shape, &err), err);
        tdm_buf_reset(&want);
        records_of_text(&want, records, &shape, (tdm_str){text.p, text.n}, 0, 0);
        for (size_t s = 1; s < 64; s += 1 + s / 4) {
            tdm_buf_reset(&got);
            records_of_text(&got, records, &shape, (tdm_str){text.p, text.n}, s, 0);
            const char *differ = records_differ(&want, &got);
            if (differ) fail_msg("%s\nin blocks of %zu bytes, %s", text.p, s, differ);
        }
        tdm_records_close(records);
    }
    tdm_buf_clear(&text);
    tdm_buf_clear(&want);
    tdm_buf_clear(&got);
}

/* ---- longer than a quote or an object may be ---- */

static void fill(tdm_buf *b, size_t bytes, size_t line)
{
    for (size_t i = 1; i <= bytes; i++) tdm_buf_char(b, i % line ? 'x' : '\n');
}

static void long_records_read_the_same_in_any_blocks(void **state)
{
    (void)state;
    static const size_t long_sizes[] = {1, 1 << 19, SIZE_MAX};
    tdm_buf text = {0}, want = {0}, got = {0};
    tdm_err err;
    for (int k = 0; k < 8; k++) {
        tdm_shape shape = {.form = k < 6 ? TDM_FORM_TABLE : TDM_FORM_VALUES,
                           .dialect = {.sep = ",", .columns = 2},
                           .used = {TDM_ROLE_USER},
                           .n_used = 1};
        tdm_buf_reset(&text);
        if (k < 6) { /* a quoted cell of a megabyte less two bytes to one more, in lines; it never closes */
            tdm_buf_str(&text, "u0,i0\nu1,\"");
            fill(&text, k < 5 ? ((size_t)1 << 20) - 3 + (size_t)k : (size_t)5 << 19, 100000);
            tdm_buf_str(&text, k < 5 ? "\"\nu2,i2\nu3,\"i3\n3\"\n" : "\nu2,i2\nu3,i3\n");
        } else { /* an object of 17 million bytes, closed or not */
            tdm_buf_str(&text, "{\"user\": \"u\", \"text\": \"");
            fill(&text, 17 << 20, 1 << 20);
            tdm_buf_str(&text, k == 6 ? "\"}\n" : "\n");
            tdm_buf_str(&text, JSON JSON);
        }
        CHECK(!text.failed);
        tdm_records *records;
        CHECK_OK(tdm_records_open(&records, &shape, &err), err);
        tdm_buf_reset(&want);
        size_t n = records_of_text(&want, records, &shape, (tdm_str){text.p, text.n}, 0, 0);
        CHECK(n >= 4);
        for (size_t s = 0; s < sizeof long_sizes / sizeof *long_sizes; s++) {
            tdm_buf_reset(&got);
            records_of_text(&got, records, &shape, (tdm_str){text.p, text.n}, long_sizes[s], 0);
            const char *differ = records_differ(&want, &got);
            if (differ) fail_msg("case %d in blocks of %zu bytes, %s", k, long_sizes[s], differ);
        }
        tdm_records_close(records);
    }
    tdm_buf_clear(&text);
    tdm_buf_clear(&want);
    tdm_buf_clear(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_read_the_same_in_any_blocks),
        cmocka_unit_test(hard_files_read_the_same_in_any_blocks),
        cmocka_unit_test(random_files_read_the_same_in_any_blocks),
        cmocka_unit_test(long_records_read_the_same_in_any_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
