/* SPDX-License-Identifier: Apache-2.0 */
/* test_truncations.c - a download that stopped: a small log cut at every byte.
 *
 * A packed file has an end of its own, so each cut of it must be refused with a sentence that names the file. The
 * exceptions are a cut between two whole members of a file made by joining them, which leaves a whole file, and one in
 * the blocks of zeros at the end of a plain tar, which many writers leave out: no row may be missing then.
 *
 * Plain text has no such end. A cut that falls behind a whole record (or into the white space, commas and brackets
 * after it) leaves a shorter log; a cut inside of a record must show as a broken record (each line of it may count as
 * one where a record has several), or be refused where it is the first. */
#include "damage.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 30, ROOM = 1 << 16, LINES = 5 /* of a record over several */ };

/* ---- the log, in each form ---- */

typedef enum form { ONE_A_LINE, ARRAY, SEVERAL_LINES, ONE_LINE } form;

typedef struct made {
    char p[ROOM];
    size_t n, begin[ROWS], end[ROWS]; /* of each record */
} made;

static void log_make(made *m, form f)
{
    m->n = 0;
    for (int k = 0; k < ROWS; k++) {
        const char *before = f == ARRAY ? (k ? ",\n" : "[") : f == ONE_LINE && k ? " " : "";
        const char *gap = f == SEVERAL_LINES ? "\n  " : " ", *last = f == SEVERAL_LINES ? "\n" : "";
        m->n += (size_t)sprintf(m->p + m->n, "%s", before);
        m->begin[k] = m->n;
        m->n += (size_t)sprintf(m->p + m->n,
                                "{\"user\": \"u%d\",%s\"item\": \"i%d\",%s\"rating\": %d,%s\"text\": \"%s\"%s}", k % 7,
                                gap, k, gap, k % 5 + 1, gap, k % 3 ? "a } b" : "", last);
        m->end[k] = m->n;
        m->n += (size_t)sprintf(m->p + m->n, "%s", f == ARRAY || f == ONE_LINE ? "" : "\n");
    }
    if (f == ARRAY) m->n += (size_t)sprintf(m->p + m->n, "]\n");
}

/* ---- plain ---- */

/* What is wrong with the log cut behind `n` bytes; NULL: nothing. */
static const char *plain_wrong(const made *m, form f, size_t n)
{
    static char why[1300];
    const char *path = damage_path("log"), *folder = damage_path("set");
    damage_put(path, m->p, n);
    damage_remove(folder);
    outcome o = damage_prepare(path, folder, &(tdm_options){.max_bad = 1}, 1);
    const char *wrong = damage_wrong(&o, path, folder);
    size_t whole = 0, inside = 0;
    while (whole < ROWS && m->end[whole] <= n) whole++;
    if (whole < ROWS) inside = n > m->begin[whole];
    double read = tdm_json_num(o.health, "rows_read", -1), rejected = damage_rejected(o.health);
    double broken = tdm_json_num(cJSON_GetObjectItemCaseSensitive(o.health, "rejected"), "broken record", 0);
    if (!wrong && !o.st != (whole > 0)) {
        snprintf(why, sizeof why, "%zu whole records, and it says: %s", whole, o.st ? o.err.msg : "all is well");
        wrong = why;
    }
    bool as_it_is = broken == (double)inside || (inside && f == SEVERAL_LINES && broken >= 1 && broken <= LINES);
    if (!wrong && !o.st && (!as_it_is || rejected != broken || read != (double)whole + broken)) {
        snprintf(why, sizeof why, "%zu whole records and %zu cut: %.0f rows read, %.0f rejected, %.0f of them broken",
                 whole, inside, read, rejected, broken);
        wrong = why;
    }
    damage_done(&o);
    return wrong;
}

static void plain_cuts(form f, const char *name)
{
    static made m;
    log_make(&m, f);
    for (size_t n = 0; n <= m.n; n++) {
        char label[80];
        snprintf(label, sizeof label, "%s cut behind %zu of %zu", name, n, m.n);
        const char *wrong = plain_wrong(&m, f, n);
        if (wrong) damage_note(wrong, label, m.p, n);
    }
    damage_notes_end();
}

static void a_cut_of_json_lines_is_a_broken_record(void **state)
{
    (void)state;
    plain_cuts(ONE_A_LINE, "json lines");
}

static void a_cut_of_a_json_array_is_a_broken_record(void **state)
{
    (void)state;
    plain_cuts(ARRAY, "json array");
}

static void a_cut_of_json_over_several_lines_is_a_broken_record(void **state)
{
    (void)state;
    plain_cuts(SEVERAL_LINES, "json over lines");
}

static void a_cut_of_json_values_on_one_line_is_a_broken_record(void **state)
{
    (void)state;
    plain_cuts(ONE_LINE, "json on a line");
}

/* ---- packed ---- */

typedef int filter_fn(struct archive *);
typedef struct packing {
    const char *name;
    filter_fn *format, *filter;
    size_t members, files; /* whole packed files joined; files in each */
    bool loose;            /* its end may be missing */
} packing;

static const packing packings[] = {
    {"gz", archive_write_set_format_raw, archive_write_add_filter_gzip, 1, 1},
    {"bz2", archive_write_set_format_raw, archive_write_add_filter_bzip2, 1, 1},
    {"xz", archive_write_set_format_raw, archive_write_add_filter_xz, 1, 1},
    {"zst", archive_write_set_format_raw, archive_write_add_filter_zstd, 1, 1},
    {"lz4", archive_write_set_format_raw, archive_write_add_filter_lz4, 1, 1},
    {"zip", archive_write_set_format_zip, archive_write_add_filter_none, 1, 1},
    {"tar", archive_write_set_format_ustar, archive_write_add_filter_none, 1, 1, true},
    {"tar.gz", archive_write_set_format_ustar, archive_write_add_filter_gzip, 1, 1},
    {"tar.xz", archive_write_set_format_ustar, archive_write_add_filter_xz, 1, 1},
    {"gz of two members", archive_write_set_format_raw, archive_write_add_filter_gzip, 2, 1},
    {"bz2 of two members", archive_write_set_format_raw, archive_write_add_filter_bzip2, 2, 1},
    {"xz of two members", archive_write_set_format_raw, archive_write_add_filter_xz, 2, 1},
    {"zst of two members", archive_write_set_format_raw, archive_write_add_filter_zstd, 2, 1},
    {"zip of two files", archive_write_set_format_zip, archive_write_add_filter_none, 1, 2},
    {"tar.gz of two files", archive_write_set_format_ustar, archive_write_add_filter_gzip, 1, 2},
};

static size_t pack(const packing *how, char *to, const char *p, size_t n)
{
    size_t used = 0;
    struct archive *a = archive_write_new();
    CHECK(a && !how->format(a) && !how->filter(a));
    CHECK(!archive_write_set_bytes_per_block(a, 0) && !archive_write_open_memory(a, to, ROOM, &used));
    for (size_t k = 0; k < how->files; k++) {
        struct archive_entry *e = archive_entry_new();
        CHECK(e != NULL);
        archive_entry_set_pathname(e, k ? "more.json" : "log.json");
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)n);
        CHECK(!archive_write_header(a, e) && archive_write_data(a, p, n) == (la_ssize_t)n);
        archive_entry_free(e);
    }
    CHECK(!archive_write_close(a));
    archive_write_free(a);
    return used;
}

/* Of each cut, that it is refused; of the whole file, that it is read, both files where it holds two. */
static void a_cut_of_a_packed_file_is_refused(void **state)
{
    const packing *how = *state;
    static made m;
    static char packed[ROOM];
    size_t n = 0, border = 0;
    log_make(&m, ONE_A_LINE);
    for (size_t k = 0; k < how->members; k++) { /* the first rows in one member, the others in the next */
        size_t from = k ? m.end[ROWS / 2 - 1] + 1 : 0, to = how->members == 2 && !k ? m.end[ROWS / 2 - 1] + 1 : m.n;
        border = n;
        n += pack(how, packed + n, m.p + from, to - from);
    }
    for (size_t cut = 0; cut <= n; cut++) {
        char label[80];
        const char *path = damage_path("packed"), *folder = damage_path("set");
        damage_put(path, packed, cut);
        damage_remove(folder);
        outcome o = damage_prepare(path, folder, NULL, 1);
        const char *wrong = damage_wrong(&o, path, folder);
        bool whole = cut == n || (how->members == 2 && cut == border);
        double rows = tdm_json_num(o.health, "rows_read", 0), want = cut == n ? (double)(how->files * ROWS) : ROWS / 2;
        char told[1300];
        if (!wrong && whole && (o.st || rows != want)) {
            snprintf(told, sizeof told, "it is whole and %s", o.st ? o.err.msg : "has lost rows");
            wrong = told;
        } else if (!wrong && !whole && !o.st && !(how->loose && rows == ROWS)) {
            snprintf(told, sizeof told, "it was taken for whole, with %.0f rows of %d", rows, ROWS);
            wrong = told;
        }
        snprintf(label, sizeof label, "%s cut behind %zu of %zu", how->name, cut, n);
        if (wrong) damage_note(wrong, label, packed, cut);
        damage_done(&o);
    }
    damage_notes_end();
}

/* The dataset's own description, which has the sums of its other files. To free(). */
static char *description(const char *folder)
{
    char path[500];
    size_t n;
    snprintf(path, sizeof path, "%s/dataset.json", folder);
    return damage_get(path, &n);
}

/* A changed byte of a packed file is refused, or nothing hangs on it (a time stamp, a name) and the dataset is the
 * same. Not asked of packings that keep no sum of what is in them. */
static void a_changed_byte_of_a_packed_file_changes_no_dataset(void **state)
{
    (void)state;
    static const size_t with_sum[] = {0, 1, 2, 5, 7}; /* gz, bz2, xz, zip, tar.gz */
    static made m;
    static char packed[ROOM];
    log_make(&m, ONE_A_LINE);
    for (size_t k = 0; k < sizeof with_sum / sizeof *with_sum; k++) {
        const packing *how = &packings[with_sum[k]];
        char *first = NULL;
        size_t n = pack(how, packed, m.p, m.n);
        for (size_t at = n;; at = at == n ? 0 : at + 1) { /* as it is, then changed */
            char label[80], was = packed[at];
            const char *path = damage_path("packed"), *folder = damage_path("set");
            if (first) packed[at] ^= (char)(1 << at % 8);
            damage_put(path, packed, n);
            damage_remove(folder);
            outcome o = damage_prepare(path, folder, NULL, 1);
            const char *wrong = damage_wrong(&o, path, folder);
            char *now = description(folder);
            if (!first) CHECK_OK(o.st, o.err);
            if (!wrong && first && now && strcmp(first, now)) wrong = "another dataset, and nobody says so";
            snprintf(label, sizeof label, "%s changed at %zu of %zu", how->name, at, n);
            if (wrong) damage_note(wrong, label, packed, n);
            damage_done(&o);
            packed[at] = was;
            if (first) free(now);
            else first = now;
            if (at + 1 == n) break;
        }
        free(first);
    }
    damage_notes_end();
}

int main(void)
{
    enum { PLAIN = 5, N = sizeof packings / sizeof *packings };
    struct CMUnitTest tests[PLAIN + N] = {
        cmocka_unit_test(a_cut_of_json_lines_is_a_broken_record),
        cmocka_unit_test(a_cut_of_a_json_array_is_a_broken_record),
        cmocka_unit_test(a_cut_of_json_over_several_lines_is_a_broken_record),
        cmocka_unit_test(a_cut_of_json_values_on_one_line_is_a_broken_record),
        cmocka_unit_test(a_changed_byte_of_a_packed_file_changes_no_dataset),
    };
    for (size_t k = 0; k < N; k++)
        tests[PLAIN + k] =
            (struct CMUnitTest){packings[k].name, a_cut_of_a_packed_file_is_refused, NULL, NULL, (void *)&packings[k]};
    return cmocka_run_group_tests(tests, damage_begin, damage_end);
}
