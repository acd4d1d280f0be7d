/* SPDX-License-Identifier: Apache-2.0 */
/* objects.c - how fast one core reads review lines, and makes single values clean.
 *
 *     bench_objects
 *
 * Made-up reviews of about 600 bytes, 11 members each and 6 of them wanted, as tdm_object_read reads them and as cJSON
 * does; then each cleaner over the values that it sees most. Each figure is the best of several rounds. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/clean.h"
#include "data/object.h"
#include "data/json_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 9, LINES = 20000 };

static void fail(const char *what)
{
    fprintf(stderr, "bench_objects: %s\n", what);
    exit(1);
}

/* ---- lines ---- */

typedef struct lines {
    tdm_buf text;
    size_t at[LINES + 1];
    tdm_objects *o;
    size_t sink;
} lines;

static tdm_str line(const lines *l, size_t i) { return (tdm_str){l->text.p + l->at[i], l->at[i + 1] - l->at[i]}; }

/* Running text of n bytes or a little more; `odd` of 100 words are something that needs work. */
static void words(tdm_buf *b, tdm_rng *r, size_t n, unsigned odd, bool json)
{
    static const char *const plain[] = {"the ",    "guitar ", "sounds ", "good ",    "and ",  "is ",       "well ",
                                        "made, ",  "but ",    "I ",      "would ",   "have ", "liked ",    "a ",
                                        "longer ", "cable. ", "It ",     "arrived ", "on ",   "time and ", "works "};
    static const char *const raw[] = {"caf\xc3\xa9 ", "don\xe2\x80\x99t ", "&quot;best&quot; ", "<br />",
                                      "\n\n",         "\"wow\" "};
    static const char *const quoted[] = {"caf\\u00e9 ", "don\xe2\x80\x99t ", "&quot;best&quot; ", "<br />",
                                         "\\n\\n",      "\\\"wow\\\" "};
    for (size_t end = b->n + n; b->n < end;) {
        if (tdm_rng_below(r, 100) >= odd) tdm_buf_str(b, plain[tdm_rng_below(r, sizeof plain / sizeof *plain)]);
        else tdm_buf_str(b, (json ? quoted : raw)[tdm_rng_below(r, 6)]);
    }
}

static void draw(lines *l, bool python)
{
    tdm_rng r = tdm_rng_make(1, 1, 1);
    tdm_buf *b = &l->text;
    for (size_t i = 0; i < LINES; i++) {
        l->at[i] = b->n;
        unsigned long user = (unsigned long)tdm_rng_below(&r, 1000000), item = (unsigned long)tdm_rng_below(&r, 100000);
        unsigned long when = 1300000000 + (unsigned long)tdm_rng_below(&r, 100000000);
        tdm_buf_fmt(b,
                    "{\"overall\": %lu.0, \"vote\": \"%lu\", \"verified\": true, \"reviewTime\": \"02 28, 2014\", "
                    "\"reviewerID\": \"A%013lu\", \"asin\": \"B%09lu\", \"style\": {\"Size:\": \" Large\", \"Color:\": "
                    "\" Blue\"}, \"reviewerName\": \"Some %lu One\", \"helpful\": [%lu, 9], \"reviewText\": \"",
                    user % 5 + 1, user % 9, user, item, user % 97, user % 8);
        words(b, &r, 60 + tdm_rng_below(&r, 400), 3, true);
        tdm_buf_fmt(b, "\", \"summary\": \"Five Stars\", \"unixReviewTime\": %lu}\n", when);
        for (size_t k = l->at[i]; python && k < b->n; k++)
            if (b->p[k] == '"' && b->p[k - 1] != '\\') b->p[k] = '\'';
    }
    l->at[LINES] = b->n;
    if (b->failed) fail("not enough memory");
}

static int want(void *ctx, tdm_str key)
{
    static const tdm_str names[] = {{"reviewerID", 10}, {"asin", 4},    {"overall", 7},
                                    {"reviewText", 10}, {"summary", 7}, {"unixReviewTime", 14}};
    (void)ctx;
    for (int k = 0; k < 6; k++)
        if (tdm_str_eq(key, names[k])) return k;
    return -1;
}

static void by_object(void *ctx)
{
    lines *l = ctx;
    for (size_t i = 0; i < LINES; i++) {
        const tdm_object_value *v;
        size_t n;
        bool whole, python = false;
        tdm_err err;
        if (tdm_object_read(l->o, line(l, i), want, NULL, &python, &v, &n, &whole, &err)) fail(err.msg);
        if (!whole || n != 6) fail("a line was not read");
        for (size_t k = 0; k < n; k++) l->sink += v[k].text.n;
    }
}

static void by_cjson(void *ctx)
{
    lines *l = ctx;
    tdm_buf spare = {0}, text = {0};
    for (size_t i = 0; i < LINES; i++) {
        bool python = false;
        cJSON *j = judge_parse(line(l, i), &python, &spare);
        const cJSON *m;
        if (!j) fail("a line was not read");
        tdm_buf_reset(&text);
        cJSON_ArrayForEach(m, j) if (want(NULL, tdm_str_of(m->string)) >= 0) judge_text(&text, m);
        l->sink += text.n;
        cJSON_Delete(j);
    }
    tdm_buf_clear(&text);
    tdm_buf_clear(&spare);
}

/* ---- values ---- */

typedef struct values {
    tdm_buf text, out;
    size_t *at, n;
    size_t sink;
} values;

static tdm_str value(const values *v, size_t i) { return (tdm_str){v->text.p + v->at[i], v->at[i + 1] - v->at[i]}; }

static void clean_text(void *ctx)
{
    values *v = ctx;
    for (size_t i = 0; i < v->n; i++) {
        tdm_buf_reset(&v->out);
        tdm_clean_text(&v->out, value(v, i), 4000, true);
        v->sink += v->out.n;
    }
}
static void clean_id(void *ctx)
{
    values *v = ctx;
    for (size_t i = 0; i < v->n; i++) {
        tdm_buf_reset(&v->out);
        tdm_clean_id(&v->out, value(v, i));
        v->sink += v->out.n;
    }
}
static void clean_number(void *ctx)
{
    values *v = ctx;
    double x;
    for (size_t i = 0; i < v->n; i++) v->sink += tdm_clean_number(&x, value(v, i)) && x > 0;
}
static void clean_time(void *ctx)
{
    values *v = ctx;
    int64_t t;
    for (size_t i = 0; i < v->n; i++) v->sink += tdm_clean_time(&t, value(v, i)) && t > 0;
}
static void clean_missing(void *ctx)
{
    values *v = ctx;
    for (size_t i = 0; i < v->n; i++) v->sink += tdm_clean_missing(value(v, i));
}

typedef void work_fn(void *ctx);

static double best(work_fn *fn, void *ctx)
{
    double least = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double t = tdm_seconds();
        fn(ctx);
        t = tdm_seconds() - t;
        if (t < least) least = t;
    }
    return least;
}

static void bench_values(void)
{
    static const struct {
        const char *name, *form; /* NULL: running text */
        work_fn *fn;
        unsigned odd;
    } all[] = {
        {"text, plain", NULL, clean_text, 0},
        {"text, 1 word of 100 odd", NULL, clean_text, 1},
        {"text, 5 of 100", NULL, clean_text, 5},
        {"text, 30 of 100", NULL, clean_text, 30},
        {"id A0000000123456", "A%013zu", clean_id, 0},
        {"number 5.0", "%zu.0", clean_number, 0},
        {"number 12.75", "%zu.75", clean_number, 0},
        {"number 5", "%zu", clean_number, 0},
        {"number 0.123456789012345678", "0.12345678901234%zu", clean_number, 0},
        {"time 1393545600", "139%07zu", clean_time, 0},
        {"time in milliseconds", "139%07zu000", clean_time, 0},
        {"missing? of an id", "A%013zu", clean_missing, 0},
        {"missing? of a rating", "%zu", clean_missing, 0},
    };
    printf("\n%-32s %10s %10s\n", "one value", "ns", "MB/s");
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        values v = {.n = LINES, .at = tdm_new(LINES + 1, sizeof *v.at)};
        tdm_rng r = tdm_rng_make(2, 2, k);
        if (!v.at) fail("not enough memory");
        for (size_t i = 0; i < v.n; i++) {
            v.at[i] = v.text.n;
            size_t x = tdm_rng_below(&r, k < 10 ? 100 : 1000000);
            if (all[k].form) {
                char s[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                snprintf(s, sizeof s, all[k].form, x);
#pragma GCC diagnostic pop
                tdm_buf_str(&v.text, s);
            } else words(&v.text, &r, 60 + tdm_rng_below(&r, 600), all[k].odd, false);
        }
        v.at[v.n] = v.text.n;
        if (v.text.failed) fail("not enough memory");
        double t = best(all[k].fn, &v);
        printf("%-32s %10.1f %10.0f\n", all[k].name, t / (double)v.n * 1e9, (double)v.text.n / t / 1e6);
        tdm_buf_clear(&v.text);
        tdm_buf_clear(&v.out);
        tdm_free(v.at);
    }
}

int main(void)
{
    tdm_err err;
    for (int python = 0; python < 2; python++) {
        lines *l = tdm_new(1, sizeof *l);
        if (!l) fail("not enough memory");
        draw(l, python);
        if (tdm_objects_open(&l->o, &err)) fail(err.msg);
        double ours = best(by_object, l), theirs = best(by_cjson, l), mb = (double)l->text.n / 1e6;
        printf("%s of %zu bytes: %.0f MB/s, with cJSON %.0f MB/s\n", python ? "Python dicts" : "JSON lines",
               l->text.n / LINES, mb / ours, mb / theirs);
        tdm_objects_close(l->o);
        tdm_buf_clear(&l->text);
        tdm_free(l);
    }
    bench_values();
    return 0;
}
