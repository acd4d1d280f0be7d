/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "clean_plain.h"
#include "data/clean.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void texts_are_made_clean(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        size_t longest;
    } cases[] = {{"a &amp; b &quot;c&quot; &#39;d&#39; &#x201c;", "a & b \"c\" 'd' \xe2\x80\x9c", 100},
                 {"one<br />two<br>three", "one two three", 100},
                 {"5 < 6 <3 &amp;amp; x>y", "5 < 6 <3 & x>y", 100},
                 {" \t many \x01\x02 blanks\r\n here ", "many blanks here", 100},
                 {"na\xc3\xafve", "na", 3},
                 {"na\xc3\xafve", "na\xc3\xaf", 4},
                 {"&nope; &; & &#xffffff;", "&nope; &; & \xef\xbf\xbd", 100},
                 {"<b", "<b", 100},
                 {"", "", 100}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tdm_buf b = {0};
        tdm_clean_text(&b, tdm_str_of(cases[k].in), cases[k].longest, true);
        assert_string_equal(b.p ? b.p : "", cases[k].out);
        tdm_buf_clear(&b);
    }
    CHECK(tdm_clean_no_title(tdm_str_of("Title_12")) && tdm_clean_no_title(tdm_str_of(" NaN ")));
    CHECK(!tdm_clean_no_title(tdm_str_of("title_12a")) && !tdm_clean_no_title(tdm_str_of("Titles")));
}

static void times_of_many_forms_are_one(void **state)
{
    (void)state;
    static const char *const same[] = {"1393545600",
                                       "1393545600000",
                                       "1393545600.0",
                                       "02 28, 2014",
                                       "2014-02-28",
                                       "2014-02-28T00:00:00Z",
                                       "2014/02/28",
                                       "28-Feb-2014",
                                       "Feb 28, 2014",
                                       "February 28, 2014",
                                       "28 February 2014",
                                       "2/28/2014",
                                       "28.2.2014",
                                       "2014-02-28 02:30:00+02:30",
                                       "Fri Feb 28 00:00:00 +0000 2014",
                                       "1393545600000000",
                                       "2014-02-28 12:00 AM"};
    static const char *const bad[] = {"soon",       "-5", "2014-02-30",           "2014-13-01",
                                      "13 13 2014", "",   "99999999999999999999", "nan"};
    for (size_t k = 0; k < sizeof same / sizeof *same; k++) {
        int64_t t = 0;
        if (!tdm_clean_time(&t, tdm_str_of(same[k])) || t != 1393545600) fail_msg("%s: %lld", same[k], (long long)t);
    }
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        int64_t t;
        if (tdm_clean_time(&t, tdm_str_of(bad[k]))) fail_msg("%s was read as a time", bad[k]);
    }
}

/* ---- the fast cleaners against the plain ones ---- */

static const char *const pieces[] = {"a",
                                     "word",
                                     " ",
                                     " ",
                                     "  ",
                                     "plain words of a review, ",
                                     "\n",
                                     "\t\r\n",
                                     "\x01",
                                     "\x7f",
                                     "&",
                                     "&amp;",
                                     "&lt;",
                                     "&gt;",
                                     "&quot;",
                                     "&#39;",
                                     "&#x201c;",
                                     "&#128;",
                                     "&#xd800;",
                                     "&#1114112;",
                                     "&nope;",
                                     "&;",
                                     "&amp;lt;br&amp;gt;",
                                     "&#32;",
                                     "&nbsp;",
                                     "&amp;#160;",
                                     "<",
                                     ">",
                                     "<br />",
                                     "<b",
                                     "</p>",
                                     "<3",
                                     "<!-- x -->",
                                     "a<b",
                                     "\xc3\xa9",
                                     "\xc2\xa0",
                                     "\xc2\x85",
                                     "\xc2\xa1",
                                     "\xe2\x80\x99",
                                     "\xe2\x80\x8b",
                                     "\xe2\x80\xa8",
                                     "\xe2\x80\xa9",
                                     "\xef\xbb\xbf",
                                     "\xef\xbf\xbd",
                                     "\xf0\x9f\x98\x80",
                                     "\xe9",
                                     "\x93",
                                     "\xff",
                                     "\x80",
                                     "\xc3",
                                     "\xe2\x80",
                                     "\xed\xa0\x80",
                                     "\xc0\x80",
                                     "0",
                                     ";",
                                     "'",
                                     "~",
                                     "!"};

/* 0 to about 200 bytes: of pieces, of any bytes, or plain words with an odd byte or two. */
static void drawn_text(tdm_buf *b, tdm_rng *r)
{
    tdm_buf_reset(b);
    tdm_buf_str(b, "");
    uint64_t kind = tdm_rng_below(r, 4);
    for (uint64_t n = tdm_rng_below(r, kind == 1 ? 200 : 30); n--;) {
        if (kind == 0) tdm_buf_str(b, pieces[tdm_rng_below(r, sizeof pieces / sizeof *pieces)]);
        else if (kind == 1) tdm_buf_char(b, (char)tdm_rng_below(r, 256));
        else tdm_buf_str(b, pieces[tdm_rng_below(r, 6)]);
    }
    for (uint64_t n = kind == 3 ? tdm_rng_below(r, 3) : 0; n-- && b->n;)
        b->p[tdm_rng_below(r, b->n)] = (char)tdm_rng_below(r, 256);
}

static void check_same_text(tdm_str s, size_t longest)
{
    tdm_buf fast = {0}, slow = {0};
    tdm_buf_str(&fast, "before ");
    tdm_buf_str(&slow, "before ");
    tdm_clean_text(&fast, s, longest, true);
    plain_clean_text(&slow, s, longest);
    if (fast.n != slow.n || memcmp(fast.p, slow.p, fast.n + 1))
        fail_msg("%.*s\nis       %s\nand not  %s", TDM_STR_ARG(s), fast.p, slow.p);
    tdm_buf_reset(&fast);
    tdm_buf_reset(&slow);
    tdm_clean_id(&fast, s);
    plain_clean_id(&slow, s);
    if (fast.n != slow.n || memcmp(fast.p, slow.p, fast.n)) fail_msg("the id %.*s differs", TDM_STR_ARG(s));
    double a = 1, b = 1;
    bool number = plain_clean_number(&b, s);
    if (tdm_clean_number(&a, s) != number || (number && memcmp(&a, &b, sizeof a)))
        fail_msg("%.*s is %.17g and not %.17g", TDM_STR_ARG(s), a, b);
    if (tdm_clean_missing(s) != plain_clean_missing(s)) fail_msg("%.*s missing?", TDM_STR_ARG(s));
    bool valid = true;
    for (tdm_str rest = s; rest.n && valid;) {
        uint32_t c;
        size_t n = tdm_utf8_next(rest, &c);
        valid = c != TDM_UTF8_BAD;
        rest.p += n;
        rest.n -= n;
    }
    if (tdm_utf8_valid(s) != valid) fail_msg("%.*s valid?", TDM_STR_ARG(s));
    tdm_buf_clear(&fast);
    tdm_buf_clear(&slow);
}

/* A text of its own length, so that a sanitizer sees a read behind it. */
static void check_same(tdm_str s, size_t longest)
{
    char *own = tdm_new(s.n, 1);
    CHECK(own);
    if (s.n) memcpy(own, s.p, s.n);
    check_same_text((tdm_str){own, s.n}, longest);
    tdm_free(own);
}

static void fast_and_plain_texts_are_the_same(void **state)
{
    (void)state;
    tdm_buf b = {0};
    tdm_rng r = tdm_rng_make(3, 1, 4);
    for (int k = 0; k < 200000; k++) {
        drawn_text(&b, &r);
        check_same((tdm_str){b.p, b.n}, tdm_rng_below(&r, 4) ? 4000 : tdm_rng_below(&r, 40));
    }
    /* every byte at every place of two words of eight, alone and before a blank */
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 18; at++)
            for (int blank = 0; blank < 3; blank++) {
                char text[] = "some plain words in here.";
                text[at] = (char)c;
                if (blank) text[blank == 1 ? at + 1 : at ? at - 1 : 0] = ' ';
                check_same((tdm_str){text, sizeof text - 1}, 4000);
            }
    tdm_buf_clear(&b);
}

static void fast_and_plain_numbers_are_the_same(void **state)
{
    (void)state;
    static const char *const forms[] = {"",
                                        "0",
                                        "-",
                                        "+",
                                        ".",
                                        "-.5",
                                        "+5",
                                        ",5",
                                        "5,",
                                        "1,5",
                                        "1,2,3",
                                        "1.2.3",
                                        "1,2.3",
                                        "1.2,3",
                                        "-0",
                                        "-0.0",
                                        "5.",
                                        "0x1f",
                                        "1e3",
                                        "1E-3",
                                        "1e",
                                        "nan",
                                        "inf",
                                        "4.0 out of 5 stars",
                                        "4,0 out of 5 stars",
                                        "4,0 out of 5.0",
                                        "4 out of 5,0",
                                        "4.0 out of",
                                        "4 out of ",
                                        "4. out of 5",
                                        "9007199254740992",
                                        "9007199254740993",
                                        "9007199254740992.5",
                                        "0.000000000000000001",
                                        "999999999999999999",
                                        "1234567890123456789",
                                        "0000000000000000000005",
                                        "1 000",
                                        "5 ",
                                        " 5",
                                        "N/A",
                                        "NaN",
                                        "\\N",
                                        "UNKNOWN",
                                        "undefined",
                                        "undefinedx",
                                        "nullx",
                                        "Na"};
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) check_same(tdm_str_of(forms[k]), 100);
    check_same((tdm_str){"5\0", 2}, 100);
    check_same((tdm_str){"5\0 x", 4}, 100);
    tdm_rng r = tdm_rng_make(5, 5, 5);
    for (int k = 0; k < 300000; k++) {
        static const char bytes[] = "0123456789012345678901234567890123456789....,-+e ";
        char s[72];
        size_t n = 0;
        if (k & 1) { /* decimals as they are written */
            snprintf(s, sizeof s, "%.*f", (int)tdm_rng_below(&r, 18),
                     (tdm_rng_unit(&r) - 0.5) * pow(10, (double)tdm_rng_below(&r, 14)));
            n = strlen(s);
        } else
            for (uint64_t length = tdm_rng_below(&r, tdm_rng_below(&r, 20) ? 24 : 70); n < length;)
                s[n++] = bytes[tdm_rng_below(&r, sizeof bytes - 1)];
        check_same((tdm_str){s, n}, 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_made_clean),
        cmocka_unit_test(times_of_many_forms_are_one),
        cmocka_unit_test(fast_and_plain_texts_are_the_same),
        cmocka_unit_test(fast_and_plain_numbers_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
