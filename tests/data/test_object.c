/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "data/object.h"
#include "data/json_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int all(void *ctx, tdm_str key)
{
    (void)ctx;
    return key.n && key.p[0] == '_' ? -1 : (int)key.n;
}

/* What an object gives, "slot=text|" for each value; "bad" where it is not one whole. */
static const char *given(tdm_objects *o, tdm_buf *b, tdm_str text, bool *python)
{
    const tdm_object_value *v;
    size_t n;
    bool whole;
    tdm_err err;
    char *own = malloc(text.n + 1); /* of its own length, so that a sanitizer sees a read behind it */
    CHECK(own);
    memcpy(own, text.p, text.n);
    tdm_buf_reset(b);
    CHECK_OK(tdm_object_read(o, (tdm_str){own, text.n}, all, NULL, python, &v, &n, &whole, &err), err);
    CHECK(whole || n == 0);
    tdm_buf_str(b, whole ? "" : "bad");
    for (size_t i = 0; i < n; i++) {
        tdm_buf_fmt(b, "%d=", v[i].slot);
        tdm_buf_add(b, v[i].text.p, v[i].text.n);
        tdm_buf_char(b, '|');
    }
    free(own);
    CHECK(!b->failed);
    return b->p;
}

typedef struct expected {
    const char *text, *gives;
} expected;

static void check_all(const expected *e, size_t n, bool python)
{
    tdm_objects *o;
    tdm_err err;
    tdm_buf b = {0};
    CHECK_OK(tdm_objects_open(&o, &err), err);
    for (size_t k = 0; k < n; k++) {
        bool p = false;
        const char *got = given(o, &b, tdm_str_of(e[k].text), &p);
        if (strcmp(got, e[k].gives)) fail_msg("%s\ngives    %s\nnot      %s", e[k].text, got, e[k].gives);
        if (p != python) fail_msg("%s\nis %staken for Python", e[k].text, p ? "" : "not ");
    }
    tdm_buf_clear(&b);
    tdm_objects_close(o);
}
#define CHECK_ALL(table, python) check_all(table, sizeof table / sizeof *table, python)

static void values_are_texts(void **state)
{
    (void)state;
    static const expected cases[] = {
        {"{}", ""},
        {" \r\n{ } \t\n", ""},
        {"{\"a\":\"x\",\"bb\":\"y z\"}", "1=x|2=y z|"},
        {"{\"a\": \"\", \"bb\": [], \"ccc\": null, \"dddd\": {}, \"eeeee\": [null, {}, \"\", []]}", "1=|2=|5=|"},
        {"{\"a\": 1, \"a\": 2}", "1=1|1=2|"},
        {"{\"a\": 76561197970982479, \"a\": 123456789012345678901234567890}",
         "1=76561197970982479|1=123456789012345678901234567890|"},
        {"{\"a\": 5.0, \"a\": -5.000, \"a\": -0, \"a\": -0.0, \"a\": 0, \"a\": 4.50, \"a\": -0.1}",
         "1=5|1=-5|1=0|1=0|1=0|1=4.50|1=-0.1|"},
        {"{\"a\": 1e3, \"a\": 1.3935456e9, \"a\": 12E-1, \"a\": 1e-5, \"a\": 1e300, \"a\": 1e999}",
         "1=1000|1=1393545600|1=12E-1|1=1e-5|1=1e300|1=1e999|"},
        {"{\"a\": 007, \"a\": +5, \"a\": .5, \"a\": 5., \"a\": -.0}", "1=007|1=5|1=.5|1=5|1=0|"},
        {"{\"a\": true, \"bb\": false, \"a\": NaN, \"a\": Infinity, \"a\": -Infinity}", "1=true|2=false|"},
        {"{\"a\": [1, 2.0, \"x\", true, null, [\"n\", [\"m\"]], {\"q\": 1, \"r\": [1]}, 1e2]}",
         "1=1\n2\nx\ntrue\nn\nm\n100|"},
        {"{\"a\": {\"b\": {\"cc\": [1, {}]}}, \"_no\": {\"x\": [1]}, \"_\": \"\\u00e9\", \"zz\": [\"k\"]}", "2=k|"},
        {"{\"a\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00.\"}",
         "1=\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80.|"},
        {"{\"a\": \"\\ud83d \\ude00 \\ud83d\\u0041 \\u0000\\ud83d\"}", "1=\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd"
                                                                       "A \xef\xbf\xbd\xef\xbf\xbd|"},
        {"{\"\\u0061b\": 1, \"\\u005fno\": 2, \"\": 3}", "2=1|0=3|"},
        {"{\"a\": [\"\\n\", \"x\\ty\", \"\\\\\"], \"bb\": \"\\\"\", \"ccc\": \"plain\"}",
         "1=\n\nx\ty\n\\|2=\"|3=plain|"},
        {"{\"a\": \"it's {not} [a] 'dict': \\\"x\\\"\"}", "1=it's {not} [a] 'dict': \"x\"|"},
    };
    CHECK_ALL(cases, false);
}

static void what_is_not_whole_is_said(void **state)
{
    (void)state;
    static const expected cases[] = {
        {"", "bad"},
        {"{", "bad"},
        {"}", "bad"},
        {"[]", "bad"},
        {"[{}]", "bad"},
        {"{{}}", "bad"},
        {"\"{}\"", "bad"},
        {"{\"a\": 1,, \"b\": 2}", "bad"},
        {"{\"a\" 1}", "bad"},
        {"{\"a\": tru}", "bad"},
        {"{\"a\": 1} x", "bad"},
        {"{\"a\": 1}{\"b\": 2}", "bad"},
        {"{\"a\": 1},", "bad"},
        {"{\"a\": 1,}", "bad"},
        {"{, \"a\": 1}", "bad"},
        {"{\"a\": }", "bad"},
        {"{\"a\"}", "bad"},
        {"{\"a\": 1 2}", "bad"},
        {"{\"a\": \"x\" \"y\"}", "bad"},
        {"{\"a\": \"x\"y}", "bad"},
        {"{\"a\": 1\"y\"}", "bad"},
        {"{\"a\": [1, 2}", "bad"},
        {"{\"a\": [1, 2}]}", "bad"},
        {"{\"a\": [1 2]}", "bad"},
        {"{\"a\": [1,]}", "bad"},
        {"{\"a\": [,]}", "bad"},
        {"{\"a\": [\"x\": 1]}", "bad"},
        {"{\"a\": {\"x\", 1}}", "bad"},
        {"{\"a\": {1: 2}}", "bad"},
        {"{\"a\": \"\\u12\"}", "bad"},
        {"{\"a\": \"\\u12g4\"}", "bad"},
        {"{\"a\": \"x}", "bad"},
        {"{\"a\": 1.2.3, \"b\": 1}", "bad"},
        {"{\"a\": 1e}", "bad"},
        {"{\"a\": -}", "bad"},
        {"{\"a\": .}", "bad"},
        {"{\"a\": 1x}", "bad"},
        {"{\"a\": 0x10}", "bad"},
        {"{\"a\": truefalse}", "bad"},
        {"{\"a\": 1}\f{}", "bad"},
        {"{\"a\":\f1}", "bad"},
        /* the same in members that are passed over */
        {"{\"_\": 1,, \"b\": 2}", "bad"},
        {"{\"_\" 1}", "bad"},
        {"{\"_\": tru}", "bad"},
        {"{\"_\": 1x}", "bad"},
        {"{\"_\": {\"x\": [1, {\"y\": tru}]}}", "bad"},
        {"{\"_\": [1 2]}", "bad"},
        {"{\"_\": \"\\u12\"}", "bad"},
        {"{\"_\": [1, 2}", "bad"},
        {"{a: 1}", "bad"},
    };
    CHECK_ALL(cases, false);
}

static void python_is_read(void **state)
{
    (void)state;
    static const expected cases[] = {
        {"{'a': 'x', 'bb': 1, 'ccc': None, 'dddd': True, 'eeeee': False}", "1=x|2=1|4=true|5=false|"},
        {"{u'a': u'caf\\xe9', 'bb': 'caf\\xc3\\xa9', 'ccc': 'caf\\xe9 \\xc3'}",
         "1=caf\xc3\xa9|2=caf\xc3\xa9|3=caf\xc3\xa9 \xc3\x83|"},
        {"{u'a': u'\\xc3\\xa9'}", "1=\xc3\x83\xc2\xa9|"},
        {"{'a': \"it's\", 'bb': 'a \"b\" c', 'ccc': 'it\\'s'}", "1=it's|2=a \"b\" c|3=it's|"},
        {"{'a': (1, 2), 'bb': ('x',), 'ccc': [['y', 'z'], ()], 'dddd': 5L}", "1=1\n2|2=x|3=y\nz|4=5|"},
        {"{'a': nan, 'bb': -inf, 'ccc': 'nan', 'dddd': 'None u\\'x\\''}", "3=nan|4=None u'x'|"},
        {"{'a': '\\U0001f600', 'bb': '\\d\\x1', 'ccc': '\\n\\\\'}", "1=\xf0\x9f\x98\x80|2=\\d\\x1|3=\n\\|"},
        {"{'a': 'caf\xe9'}", "1=caf\xc3\xa9|"},
        {"{'a': 'one\ntwo\tthree\x01'}", "1=one\ntwo\tthree |"},
    };
    static const expected bad[] = {
        {"{'a': 'x}", "bad"}, {"{'a'}", "bad"}, {"{'a': x}", "bad"}, {"{'a': 1} '", "bad"}, {"{'a', 'b'}", "bad"},
    };
    CHECK_ALL(cases, true);
    CHECK_ALL(bad, false);
    tdm_objects *o; /* strings of every length about those that are copied by eights, closed and not */
    tdm_err err;
    tdm_buf text = {0}, out = {0}, expect = {0};
    CHECK_OK(tdm_objects_open(&o, &err), err);
    for (int n = 0; n < 40; n++)
        for (int at = 0; at < 2 * n; at++) {
            bool python = false;
            tdm_buf_reset(&text);
            tdm_buf_reset(&expect);
            tdm_buf_str(&text, "{'a': '");
            tdm_buf_str(&expect, "1=");
            for (int i = 0; i < n; i++) {
                tdm_buf_char(&text, i == at ? '\n' : (char)('a' + i % 26));
                tdm_buf_char(&expect, i == at ? '\n' : (char)('a' + i % 26));
            }
            tdm_buf_char(&expect, '|');
            size_t open = text.n;
            tdm_buf_str(&text, "}");
            assert_string_equal(given(o, &out, (tdm_str){text.p, text.n}, &python), "bad");
            text.n = open;
            tdm_buf_str(&text, "'}");
            assert_string_equal(given(o, &out, (tdm_str){text.p, text.n}, &python), expect.p);
            CHECK(python);
        }
    tdm_buf_clear(&text);
    tdm_buf_clear(&out);
    tdm_buf_clear(&expect);
    tdm_objects_close(o);
}

static void bytes_are_mended(void **state)
{
    (void)state;
    static const expected cases[] = {
        {"{\"a\": \"caf\xe9 \x93x\x94\", \"bb\": 1}", "1=caf\xc3\xa9 \xe2\x80\x9cx\xe2\x80\x9d|2=1|"},
        {"{\"a\": \"caf\xe9\", \"bb\": \"caf\xc3\xa9\", \"ccc\": \"\xc3\xa9 \xe9\"}",
         "1=caf\xc3\xa9|2=caf\xc3\xa9|3=\xc3\xa9 \xef\xbf\xbd|"},
        {"{\"caf\xe9\": 1}", "5=1|"},
        {"{\"a\": \"one\ntwo\tthree\x01.\", \"bb\": \"x\\\"\ny\"}", "1=one\ntwo\tthree .|2=x\"\ny|"},
        {"{\"a\": \"one\\\ntwo\", \"bb\": \"one\\\\\ntwo\"}", "1=one\ntwo|2=one\\\ntwo|"},
        {"{\"_\": \"\xff\x01\", \"a\": \"\\\"\xff\x01\"}", "1=\"\xc3\xbf |"},
        {"{\xff\"a\": 1}", "bad"},
        {"{\"a\": \xff}", "bad"},
    };
    CHECK_ALL(cases, false);
    tdm_objects *o;
    tdm_err err;
    tdm_buf b = {0};
    bool python = false;
    CHECK_OK(tdm_objects_open(&o, &err), err);
    static const char nul[] = "{\"a\": \"x\0y\", \"\0\": 1}";
    assert_string_equal(given(o, &b, (tdm_str){nul, sizeof nul - 1}, &python), "1=x y|1=1|");
    static const char between[] = "{\"a\":\0 1}";
    assert_string_equal(given(o, &b, (tdm_str){between, sizeof between - 1}, &python), "bad");
    tdm_buf_clear(&b);
    tdm_objects_close(o);
}

/* No shorter text of these is an object, but for those that lack white space only. */
static void every_truncation_is_noticed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"reviewerID\": \"A1\", \"asin\": \"B0\", \"helpful\": [0, 12], \"reviewText\": \"It\\u2019s "
        "{good}\\n\\\\\", "
        "\"overall\": 5.0, \"style\": {\"Size:\": \" L\", \"n\": [{}]}, \"verified\": true, \"x\": null}  \n",
        "{'asin': '00', 'salesRank': {'Toys & Games': 6}, 'categories': [['a', u'b']], 'price': None, 'o': (1,)}\n",
        "{\"a\": \"caf\xe9 \xc3\xa9\", \"b\": \"two\nlines\"} ",
        "{\"_\": {\"b\": [1, \"}\", {\"c\": \"]\"}]}}",
    };
    tdm_objects *o;
    tdm_err err;
    tdm_buf b = {0}, full = {0};
    bool python = false;
    CHECK_OK(tdm_objects_open(&o, &err), err);
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        tdm_str s = tdm_str_of(texts[k]);
        size_t end = tdm_str_trim(s).n;
        given(o, &full, s, &python);
        for (size_t n = 0; n < s.n; n++)
            assert_string_equal(given(o, &b, (tdm_str){s.p, n}, &python), n < end ? "bad" : full.p);
    }
    tdm_buf_clear(&b);
    tdm_buf_clear(&full);
    tdm_objects_close(o);
}

/* ---- against cJSON ---- */

static const char *pick(tdm_rng *r, const char *const *from, size_t n) { return from[tdm_rng_below(r, n)]; }
#define PICK(r, list) pick(r, list, sizeof list / sizeof *list)

static void drawn_blank(tdm_buf *b, tdm_rng *r)
{
    static const char *const blanks[] = {"", "", "", " ", "\n", "\t ", " \r\n  "};
    tdm_buf_str(b, PICK(r, blanks));
}

static void drawn_string(tdm_buf *b, tdm_rng *r)
{
    static const char *const pieces[] = {"a",
                                         "B ",
                                         "word",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "\\n",
                                         "\\\"",
                                         "\\\\",
                                         "\\/",
                                         "\\u00e9",
                                         "\\ud83d\\ude00",
                                         "'",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         ":",
                                         ",",
                                         " ",
                                         "\\t",
                                         "\x7f",
                                         "1.5",
                                         "\\u0041",
                                         "\\\\\"",
                                         "\\r\\b",
                                         "_some long run of plain words that crosses blocks"};
    tdm_buf_char(b, '"');
    for (size_t n = tdm_rng_below(r, tdm_rng_below(r, 8) ? 5 : 60); n--;) {
        const char *p = PICK(r, pieces);
        tdm_buf_str(b, strcmp(p, "\\\\\"") ? p : "\\\\\\\"");
    }
    tdm_buf_char(b, '"');
}

static void drawn_value(tdm_buf *b, tdm_rng *r, int depth)
{
    static const char *const words[] = {"true", "false", "null", "0", "5.0", "-12", "3.25", "1e3", "17", "-0.5e1"};
    drawn_blank(b, r);
    size_t kind = tdm_rng_below(r, depth < 5 ? 6 : 4);
    if (kind < 2) drawn_string(b, r);
    else if (kind < 4) tdm_buf_str(b, PICK(r, words));
    else {
        tdm_buf_char(b, kind == 4 ? '[' : '{');
        for (size_t i = 0, n = tdm_rng_below(r, 5); i < n; i++) {
            if (i) tdm_buf_char(b, ',');
            drawn_blank(b, r);
            if (kind == 5) {
                drawn_string(b, r);
                drawn_blank(b, r);
                tdm_buf_char(b, ':');
            }
            drawn_value(b, r, depth + 1);
        }
        drawn_blank(b, r);
        tdm_buf_char(b, kind == 4 ? ']' : '}');
    }
    drawn_blank(b, r);
}

/* The same as given(), from cJSON. */
static void given_by_cjson(tdm_buf *b, tdm_str text)
{
    const char *end;
    tdm_buf_reset(b);
    cJSON *j = cJSON_ParseWithLengthOpts(text.p, text.n, &end, 0);
    if (!cJSON_IsObject(j) || tdm_str_trim((tdm_str){end, (size_t)(text.p + text.n - end)}).n) tdm_buf_str(b, "bad");
    else {
        tdm_buf_str(b, "");
        const cJSON *m;
        cJSON_ArrayForEach(m, j)
        {
            int slot = all(NULL, tdm_str_of(m->string));
            if (slot < 0 || cJSON_IsObject(m) || cJSON_IsNull(m)) continue;
            tdm_buf_fmt(b, "%d=", slot);
            judge_text(b, m);
            tdm_buf_char(b, '|');
        }
    }
    cJSON_Delete(j);
}

static void random_objects_are_read_as_cjson_reads_them(void **state)
{
    (void)state;
    tdm_objects *o;
    tdm_err err;
    tdm_buf text = {0}, ours = {0}, theirs = {0};
    tdm_rng r = tdm_rng_make(7, 1, 1);
    size_t whole = 0, bad = 0;
    CHECK_OK(tdm_objects_open(&o, &err), err);
    for (int k = 0; k < 30000; k++) {
        bool python = false;
        tdm_buf_reset(&text);
        tdm_buf_char(&text, '{');
        for (size_t i = 0, n = tdm_rng_below(&r, 7); i < n; i++) {
            if (i) tdm_buf_char(&text, ',');
            drawn_blank(&text, &r);
            drawn_string(&text, &r);
            drawn_blank(&text, &r);
            tdm_buf_char(&text, ':');
            drawn_value(&text, &r, 0);
        }
        tdm_buf_str(&text, "}");
        drawn_blank(&text, &r);
        if (k % 3 == 0) { /* and broken ones: a byte of the grammar put in the place of another */
            static const char bytes[] = "{}[]:,\"tx ";
            size_t i = tdm_rng_below(&r, text.n), c = tdm_rng_below(&r, sizeof bytes - 1);
            text.p[i] = (unsigned char)text.p[i] < 0x80 ? bytes[c] : text.p[i];
        }
        given_by_cjson(&theirs, (tdm_str){text.p, text.n});
        given(o, &ours, (tdm_str){text.p, text.n}, &python);
        /* cJSON takes less, and what only we read is another test's; but it takes any four bytes behind \u */
        if (!strcmp(theirs.p, "bad")) bad++;
        else if (strcmp(ours.p, theirs.p) && (k % 3 || !strstr(text.p, "\\u")))
            fail_msg("%s\ngives    %s\ncJSON    %s", text.p, ours.p, theirs.p);
        else whole++;
    }
    CHECK(whole > 15000 && bad > 1000);
    tdm_buf_clear(&text);
    tdm_buf_clear(&ours);
    tdm_buf_clear(&theirs);
    tdm_objects_close(o);
}

/* ---- large, deep, short of memory ---- */

static void large_and_deep_objects_do_no_harm(void **state)
{
    (void)state;
    tdm_objects *o;
    tdm_err err;
    tdm_buf text = {0}, out = {0};
    bool python = false;
    CHECK_OK(tdm_objects_open(&o, &err), err);
    for (int k = 0; k < 4; k++) {
        size_t deep = k < 2 ? 1023 : k == 2 ? 1024 : 300000; /* the object itself is the first */
        tdm_buf_reset(&text);
        tdm_buf_str(&text, "{\"a\": ");
        for (size_t i = 0; i < deep; i++) tdm_buf_str(&text, k == 1 ? "{\"b\":" : "[");
        tdm_buf_str(&text, "7");
        for (size_t i = 0; i < deep; i++) tdm_buf_str(&text, k == 1 ? "}" : "]");
        tdm_buf_str(&text, "}");
        assert_string_equal(given(o, &out, (tdm_str){text.p, text.n}, &python), k == 0 ? "1=7|" : k == 1 ? "" : "bad");
    }
    enum { LONG = 64 << 20 };
    tdm_buf_reset(&text);
    tdm_buf_str(&text, "{\"a\": \"");
    size_t at = text.n;
    CHECK(!tdm_grow(&text.p, &text.cap, LONG + 64, 1));
    memset(text.p + at, 'x', LONG);
    text.n += LONG;
    text.p[at + LONG / 2] = '\\';
    text.p[at + LONG / 2 + 1] = 'n';
    tdm_buf_str(&text, "\"}");
    const tdm_object_value *v;
    size_t n;
    bool whole;
    CHECK_OK(tdm_object_read(o, (tdm_str){text.p, text.n}, all, NULL, &python, &v, &n, &whole, &err), err);
    CHECK(whole && n == 1 && v[0].text.n == LONG - 1 && v[0].text.p[LONG / 2] == '\n' && !python);
    tdm_buf_clear(&text);
    tdm_buf_clear(&out);
    tdm_objects_close(o);
}

static void every_failed_allocation_is_said(void **state)
{
    (void)state;
    static const char text[] = "{\"a\": \"\\n\xe9\", \"bb\": ['x', 1e3, \"y\\u00e9\"], \"ccc\": \"z\"}";
    size_t live = tdm_mem_live();
    long k = 0;
    for (; k < 100; k++) {
        tdm_objects *o = NULL;
        tdm_err err;
        const tdm_object_value *v;
        size_t n;
        bool whole = false, python = false;
        tdm_mem_fail_after(k);
        tdm_status st = tdm_objects_open(&o, &err);
        if (!st) st = tdm_object_read(o, tdm_str_of(text), all, NULL, &python, &v, &n, &whole, &err);
        tdm_mem_fail_after(-1);
        if (st && o) { /* it goes on after that */
            CHECK(!whole && n == 0);
            CHECK_OK(tdm_object_read(o, tdm_str_of(text), all, NULL, &python, &v, &n, &whole, &err), err);
            CHECK(whole && n == 3 && tdm_str_is(v[1].text, "x\n1000\ny\xc3\xa9"));
        }
        tdm_objects_close(o);
        CHECK(tdm_mem_live() == live);
        if (!st) break;
        CHECK(st == TDM_E_NOMEM);
    }
    CHECK(k > 3 && k < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_texts),
        cmocka_unit_test(what_is_not_whole_is_said),
        cmocka_unit_test(python_is_read),
        cmocka_unit_test(bytes_are_mended),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(random_objects_are_read_as_cjson_reads_them),
        cmocka_unit_test(large_and_deep_objects_do_no_harm),
        cmocka_unit_test(every_failed_allocation_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
