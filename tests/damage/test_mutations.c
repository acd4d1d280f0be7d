/* SPDX-License-Identifier: Apache-2.0 */
/* test_mutations.c - real files with random damage: a sentence, or a health table that accounts for every row.
 *
 * Each file is cut to about 60 KB and damaged 40 times (1,000 with TANDEM_DEEP=1), the same way at every run. What
 * rows_read must be is counted a second time here, by rules so plain that they can be trusted:
 *
 *     JSON lines, dicts    lines that hold more than blanks, commas and square brackets
 *     tables of tabs or blanks, sequences: lines that are not blank, less a header
 *     other tables         records of RFC 4180 that are not blank, less a header; only where no damage came near a
 *                          quote, for what a stray quote means is a reader's choice
 *
 * JSON values over several lines have no such rule: there only the account must hold. And one damage that cuts nothing
 * off may cost a few rows and no more, whatever it makes of quotes and braces. */
#include "damage.h"

#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CUT = 60000,
    FEW = 40,
    MANY = 1000,
    COST = 3,        /* rows that one damage may cost: that of its place and its neighbours */
    GROWN_FEW = 3,   /* damages of a whole file, */
    GROWN_MANY = 80, /* and of these in the long form */
};

/* ---- damage ---- */

typedef struct text {
    char *p;
    size_t n;
    bool quotes; /* damage came near a quote */
} text;

/* Puts `n` bytes in the place of `gone` bytes at `at`. */
static void splice(text *t, size_t at, size_t gone, const char *p, size_t n)
{
    size_t from = at ? at - 1 : 0, to = at + gone < t->n ? at + gone + 1 : t->n;
    t->quotes |= memchr(t->p + from, '"', to - from) || (n && memchr(p, '"', n));
    char *whole = malloc(t->n - gone + n + 1);
    CHECK(whole != NULL);
    memcpy(whole, t->p, at);
    if (n) memcpy(whole + at, p, n);
    memcpy(whole + at + n, t->p + at + gone, t->n - at - gone);
    free(t->p);
    t->p = whole;
    t->n += n - gone;
}

/* The line that holds byte `at`, with its end. */
static tdm_str line_at(const text *t, size_t at)
{
    size_t from = at, to = at;
    while (from && t->p[from - 1] != '\n') from--;
    while (to < t->n && t->p[to] != '\n') to++;
    return (tdm_str){t->p + from, to + (to < t->n) - from};
}

static void swap_lines(text *t, size_t x, size_t y)
{
    tdm_str a = line_at(t, x < y ? x : y), b = line_at(t, x < y ? y : x);
    if (a.p == b.p) return;
    size_t at = (size_t)(a.p - t->p), between = (size_t)(b.p - a.p) - a.n, n = a.n + between + b.n;
    char *new = malloc(n);
    CHECK(new != NULL);
    memcpy(new, b.p, b.n);
    memcpy(new + b.n, a.p + a.n, between);
    memcpy(new + b.n + between, a.p, a.n);
    splice(t, at, n, new, n);
    free(new);
}

static const char *const kinds[] = {"flip", "insert",  "delete", "double line", "swap lines", "cut",    "quote",
                                    "NUL",  "newline", "0xff",   "brace",       "repeat",     "return", "long"};
enum { KINDS = sizeof kinds / sizeof *kinds, CUTS = 5 };

static void damage(text *t, tdm_rng *r, size_t kind)
{
    if (!t->n) return;
    size_t at = tdm_rng_below(r, t->n), n = 1 + tdm_rng_below(r, 8);
    char byte = (char)tdm_rng_below(r, 256);
    tdm_str line = line_at(t, at);
    switch (kind) {
    case 0:
        byte = t->p[at] ^ (char)(1 << (n - 1));
        splice(t, at, 1, &byte, 1);
        break;
    case 1:
        splice(t, at, 0, &byte, 1);
        break;
    case 2:
        splice(t, at, n < t->n - at ? n : t->n - at, NULL, 0);
        break;
    case 3: {
        char *copy = malloc(line.n);
        CHECK(copy != NULL);
        memcpy(copy, line.p, line.n);
        splice(t, (size_t)(line.p - t->p), 0, copy, line.n);
        free(copy);
        break;
    }
    case 4:
        swap_lines(t, at, tdm_rng_below(r, t->n));
        break;
    case 5:
        splice(t, at, t->n - at, NULL, 0);
        break;
    case 6:
        splice(t, at, 0, "\"", 1);
        break;
    case 7:
        splice(t, at, 0, "", 1);
        break;
    case 8:
        splice(t, at, 0, "\n", 1);
        break;
    case 9:
        splice(t, at, 0, "\xff", 1);
        break;
    case 10:
        splice(t, at, 0, n & 1 ? "{" : "}", 1);
        break;
    case 12:
        splice(t, at, 0, "\r", 1);
        break;
    default: { /* a block again, or one byte of it many times */
        size_t length = 1 + tdm_rng_below(r, 2000);
        if (length > t->n - at) length = t->n - at;
        char *copy = malloc(length);
        CHECK(copy != NULL);
        if (kind == 11) memcpy(copy, t->p + at, length);
        else memset(copy, t->p[at], length);
        splice(t, at, 0, copy, length);
        free(copy);
    }
    }
}

/* ---- rows, counted another way ---- */

static bool blank(const char *p, size_t n, const char *also)
{
    for (size_t i = 0; i < n; i++)
        if (!(p[i] == ' ' || (p[i] >= '\t' && p[i] <= '\r') || (p[i] && strchr(also, p[i])))) return false;
    return true;
}

static size_t lines_count(const char *p, size_t n, const char *also)
{
    size_t rows = 0;
    for (size_t at = 0; at < n;) {
        const char *end = memchr(p + at, '\n', n - at);
        size_t length = (end ? (size_t)(end - p) : n) - at;
        rows += !blank(p + at, length, also);
        at += length + 1;
    }
    return rows;
}

/* Records of RFC 4180; *open: the last one ends inside of a quote. */
static size_t records_count(const char *p, size_t n, const char *sep, bool *open)
{
    size_t rows = 0, from = 0, width = strlen(sep);
    bool quoted = false, begins = true; /* begins: a cell may begin here, and with it a quote */
    for (size_t i = 0; i <= n; i++) {
        if (i == n || (p[i] == '\n' && !quoted)) {
            rows += !blank(p + from, i - from, "");
            from = i + 1;
            begins = true;
        } else if (p[i] == '"' && begins) quoted = true, begins = false;
        else if (p[i] == '"' && quoted && i + 1 < n && p[i + 1] == '"') i++;
        else if (p[i] == '"' && quoted) quoted = false;
        else if (!quoted && n - i >= width && !memcmp(p + i, sep, width)) i += width - 1, begins = true;
        else if (!quoted) begins = false;
    }
    *open = quoted;
    return rows;
}

/* Places inside of a line where one object may end and another begin, as where a line end was lost: a reader that finds
 * both has more rows than lines. */
static size_t joins_count(const char *p, size_t n)
{
    size_t joins = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] != '}') continue;
        size_t k = i + 1;
        while (k < n && (p[k] == ' ' || p[k] == ',' || p[k] == '\t' || p[k] == '\r')) k++;
        joins += k < n && p[k] == '{';
    }
    return joins;
}

/* Rows there are by the form that was found; SIZE_MAX: there is no rule. */
static size_t rows_present(const text *t, const char *form)
{
    static const struct {
        const char *word, *sep;
    } seps[] = {{"comma", ","}, {"semicolon", ";"}, {"bar", "|"}, {"double-colon", "::"}};
    const char *p = t->p;
    size_t n = t->n;
    if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) p += 3, n -= 3;
    if (strstr(form, "JSON lines") || strstr(form, "Python")) return lines_count(p, n, ",[]");
    if (!strncmp(form, "sequences", 9)) return SIZE_MAX; /* a row is an item of a line */
    const char *table = strstr(form, "-separated table with");
    if (!table) return SIZE_MAX;
    bool header = !strncmp(table, "-separated table with a ", 24);
    if (!strncmp(form, "tab", 3) || !strncmp(form, "blank", 5)) return lines_count(p, n, "") - header;
    for (size_t k = 0; k < sizeof seps / sizeof *seps; k++) {
        if (strncmp(form, seps[k].word, strlen(seps[k].word))) continue;
        bool open;
        size_t rows = records_count(p, n, seps[k].sep, &open);
        return t->quotes || open ? SIZE_MAX : rows - header;
    }
    return SIZE_MAX;
}

/* ---- the test ---- */

typedef struct real {
    const char *name;
    bool items;      /* a list of items */
    size_t most;     /* bytes of it */
    bool counted;    /* the plain rules know its rows */
    bool over_lines; /* made values over several lines */
    bool by_line;    /* a line has many rows: damage may cost them all */
} real;

static const real files[] = {
    {"raw/Musical_Instruments_5.sample.json", false, CUT, true},
    {"raw/Musical_instruments_reviews.partial.csv", false, CUT, true},
    {"raw/fine_food_reviews_1k.csv", false, CUT, true},
    {"raw/ratings_Beauty.partial.csv", false, CUT, true},
    {"raw/gift-cards-2018/Gift_Cards_5.json", false, CUT, true},
    {"movielens/ml-100k/u.data", false, CUT, true},
    {"movielens/ml-100k/u1.test", false, CUT, true},
    {"movielens/ml-latest-small/ratings.csv", false, 5000, true},
    {"amazon2014/beauty/sequences.txt", false, 20000, false, false, true},
    {"raw/Musical_Instruments_5.sample.json", false, CUT, false, true},
    {"raw/gift-cards-2018/Gift_Cards_5.json", false, CUT, false, true},
    {"raw/meta_Gift_Cards.sample.json", true, CUT, false},
    {"raw/gift-cards-2018/meta_Gift_Cards.json", true, CUT, false},
    {"raw/meta_2014_pythondict.txt", true, CUT, false},
    {"amazon2014/beauty/items.jsonl", true, 20000, false},
    {"movielens/ml-100k/u.item", true, CUT, false},
    {"movielens/ml-latest-small/movies.csv", true, CUT, false},
    {"movielens/ml-latest-small/tags.csv", true, CUT, false},
};

/* Rows for lists of items to be held against. */
static const char few_rows[] = "user,item,rating\na,0000191639,5\na,B001GXRQW0,4\nb,1,3\nb,B001GXRQW0,5\nc,2,1\n";

typedef struct told {
    tdm_status st;
    bool counted; /* its rows were counted both ways */
    double good;  /* rows that were not rejected */
} told;

/* What is wrong with a file; NULL: nothing. */
static const char *wrong(const text *t, const real *f, size_t threads, told *out)
{
    static char why[400];
    const char *path = damage_path("log"), *folder = damage_path("set"), *items = damage_path("items");
    damage_put(f->items ? items : path, t->p, t->n);
    if (f->items) damage_put(path, few_rows, sizeof few_rows - 1);
    damage_remove(folder);
    outcome o = damage_prepare(path, folder, &(tdm_options){.items = f->items ? items : NULL, .max_bad = 1}, threads);
    const char *found = damage_wrong(&o, f->items ? items : path, folder);
    *out = (told){o.st, false, tdm_json_num(o.health, "rows_read", 0) - damage_rejected(o.health)};
    if (!found && !o.st) {
        size_t there = f->items ? 5 : rows_present(t, damage_form(o.health));
        out->counted = there != SIZE_MAX;
        double read = tdm_json_num(o.health, "rows_read", -1);
        double more = there && strstr(damage_form(o.health), "JSON lines") ? (double)joins_count(t->p, t->n) : 0;
        if (out->counted && (read < (double)there || read > (double)there + more)) {
            snprintf(why, sizeof why, "%.0f rows read of %zu there (%s)", read, there, damage_form(o.health));
            found = why;
        }
    }
    damage_done(&o);
    return found;
}

/* Takes away lines as long as the fault stays: what is left is nearly the smallest file that shows it. */
static void shrink(text *t, const real *f, size_t threads)
{
    told ignored;
    for (size_t part = 2, tries = 0; t->n > 1 && tries < 400;) {
        bool less = false;
        size_t step = t->n / part + 1;
        for (size_t at = 0; at < t->n && tries < 400; tries++) {
            tdm_str last = line_at(t, at + step < t->n ? at + step - 1 : t->n - 1);
            size_t from = (size_t)(line_at(t, at).p - t->p), to = (size_t)(last.p + last.n - t->p);
            text shorter = {malloc(t->n), t->n - (to - from), t->quotes};
            CHECK(shorter.p != NULL);
            memcpy(shorter.p, t->p, from);
            memcpy(shorter.p + from, t->p + to, t->n - to);
            if (shorter.n && wrong(&shorter, f, threads, &ignored)) {
                free(t->p);
                *t = shorter;
                less = true;
                at = from;
            } else {
                free(shorter.p);
                at = to;
            }
        }
        if (!less && step == 1) break;
        if (!less) part *= 2;
    }
}

/* JSON lines as values over several lines each. */
static void over_lines(char **p, size_t *n)
{
    tdm_buf out = {0};
    for (size_t at = 0; at < *n;) {
        const char *end = memchr(*p + at, '\n', *n - at);
        size_t length = (end ? (size_t)(end - *p) : *n) - at;
        cJSON *j = cJSON_ParseWithLength(*p + at, length);
        char *printed = cJSON_Print(j);
        if (printed) tdm_buf_fmt(&out, "%s\n", printed);
        cJSON_free(printed);
        cJSON_Delete(j);
        at += length + 1;
    }
    free(*p);
    CHECK(!out.failed && out.n && (*p = malloc(out.n)));
    memcpy(*p, out.p, *n = out.n);
    tdm_buf_clear(&out);
}

static void damaged(const real *f)
{
    size_t n = f->most, rounds = damage_deep() ? MANY : FEW, compared = 0;
    double good = 0;
    char *whole = damage_real(f->name, &n);
    if (!whole) {
        print_message("skipped: %s is not beside the repository\n", f->name);
        skip();
    }
    if (f->over_lines) over_lines(&whole, &n);
    for (size_t k = 0; k <= rounds; k++) { /* the first time as it is */
        text t = {malloc(n + 1), n, false};
        char label[300];
        tdm_rng r = tdm_rng_make(7, n, k);
        CHECK(t.p != NULL);
        memcpy(t.p, whole, n);
        int at = snprintf(label, sizeof label, "%s, damage %zu", f->name, k);
        bool cut = false;
        size_t times = !k ? 0 : k % 4 ? 1 : 2 + tdm_rng_below(&r, 3);
        for (size_t m = 0; m < times; m++) {
            size_t kind = m ? tdm_rng_below(&r, KINDS) : k % KINDS;
            at += snprintf(label + at, sizeof label - (size_t)at, ", %s", kinds[kind]);
            damage(&t, &r, kind);
            cut |= kind == CUTS;
        }
        size_t threads = 1 + k % 2;
        told now;
        const char *what = wrong(&t, f, threads, &now);
        if (!k && !what && now.counted != (f->counted || f->items))
            what = "its rows could not be counted a second time";
        if (!k) good = now.good;
        compared += now.counted;
        if (what) {
            shrink(&t, f, threads);
            what = wrong(&t, f, threads, &now);
            damage_note(what ? what : "it comes and goes", label, t.p, t.n);
        } else if (!now.st && !cut && !f->by_line && now.good < good - (double)(COST * times)) {
            char lost[120];
            snprintf(lost, sizeof lost, "%.0f good rows of %.0f are left", now.good, good);
            damage_note(lost, label, t.p, t.n);
        }
        free(t.p);
    }
    free(whole);
    damage_notes_end();
    if (f->counted) CHECK(compared * 3 > rounds); /* the second count is there to be used */
}

static void a_damaged_file_is_accounted_for(void **state) { damaged(*state); }

/* The whole of a file that is read in several blocks: with one thread, with three, and with so little memory that rows
 * go to a file on the way, the same table or the same sentence, and the same dataset. */
static void blocks_threads_and_memory_change_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"raw/gift-cards-2018/Gift_Cards_5.json", "movielens/ml-100k/u.data",
                                        "raw/Musical_instruments_reviews.partial.csv"};
    char path[400], folder[400], file[500];
    snprintf(path, sizeof path, "%s", damage_path("log"));
    snprintf(folder, sizeof folder, "%s", damage_path("set"));
    snprintf(file, sizeof file, "%s/dataset.json", folder);
    for (size_t w = 0; w < sizeof names / sizeof *names; w++) {
        size_t n = SIZE_MAX, rounds = damage_deep() ? GROWN_MANY : GROWN_FEW;
        char *whole = damage_real(names[w], &n);
        if (!whole) skip();
        for (size_t k = 0; k <= rounds; k++) {
            text t = {malloc(n + 1), n, false};
            char label[200];
            tdm_rng r = tdm_rng_make(9, n, k);
            CHECK(t.p != NULL);
            memcpy(t.p, whole, n);
            size_t kind = tdm_rng_below(&r, KINDS);
            if (k) damage(&t, &r, kind);
            if (k) damage(&t, &r, tdm_rng_below(&r, KINDS));
            damage_put(path, t.p, t.n);
            snprintf(label, sizeof label, "%s, threads, damage %zu, %s", names[w], k, k ? kinds[kind] : "none");
            static const size_t threads[] = {1, 3, 2}, memory[] = {0, 0, 1 << 20};
            char *said[3] = {NULL}, *set[3] = {NULL};
            for (size_t m = 0; m < 3; m++) {
                size_t size;
                damage_remove(folder);
                outcome o = damage_prepare(path, folder, &(tdm_options){.max_bad = 1, .memory = memory[m]}, threads[m]);
                const char *wrong = damage_wrong(&o, path, folder);
                if (wrong) damage_note(wrong, label, t.p, t.n);
                said[m] = o.st ? strdup(o.err.msg) : cJSON_PrintUnformatted(o.health);
                set[m] = damage_get(file, &size);
                damage_done(&o);
            }
            for (size_t m = 1; m < 3; m++) {
                const char *way = m == 1 ? "three threads" : "little memory";
                if (strcmp(said[0], said[m]) || !set[0] != !set[m] || (set[0] && strcmp(set[0], set[m])))
                    damage_note(way, label, t.p, t.n);
            }
            for (size_t m = 0; m < 3; m++) {
                free(said[m]);
                free(set[m]);
            }
            free(t.p);
        }
        free(whole);
    }
    damage_notes_end();
}

int main(void)
{
    enum { N = sizeof files / sizeof *files };
    struct CMUnitTest tests[N + 1] = {[N] = cmocka_unit_test(blocks_threads_and_memory_change_nothing)};
    static char names[N][100];
    for (size_t k = 0; k < N; k++) {
        snprintf(names[k], sizeof names[k], "%s%s", files[k].name, files[k].over_lines ? ", over lines" : "");
        tests[k] = (struct CMUnitTest){names[k], a_damaged_file_is_accounted_for, NULL, NULL, (void *)&files[k]};
    }
    return cmocka_run_group_tests(tests, damage_begin, damage_end);
}
