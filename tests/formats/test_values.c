/* SPDX-License-Identifier: Apache-2.0 */
/* test_values.c - single values as real files have them: prices, placeholders, times, dates, text from web pages. */
#include "check.h"

#include "base/json.h"
#include "data/clean.h"

#include <stdio.h>
#include <string.h>

#define N(a) (sizeof(a) / sizeof *(a))

static void amounts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"5", 5},
                {"4.0", 4},
                {" 3.5 ", 3.5},
                {".5", .5},
                {"-1", -1},
                {"\xe2\x88\x92"
                 "2.5",
                 -2.5},
                {"+2", 2},
                {"1.4e9", 1.4e9},
                {"4.0 out of 5 stars", 4},
                {"4,5", 4.5},
                {"1,024", 1024},
                {"0,125", .125},
                {"12,34", 12.34},
                {"1,234,567", 1234567},
                {"1.234.567", 1234567},
                {"12,34,567", 1234567}, /* as in India */
                {"₹1,099", 1099},
                {"₹ 399", 399},
                {"Rs. 1,12,999.00", 112999},
                {"$1,234.50", 1234.5},
                {"-$5.00", -5},
                {"US$ 12", 12},
                {"1.234,50 €", 1234.5},
                {"€1.234,50", 1234.5},
                {"1 234,50 €", 1234.5},
                {"1\xc2\xa0"
                 "234,50\xc2\xa0€",
                 1234.5},
                {"CHF 1'234.50", 1234.5},
                {"£.99", .99},
                {"\n      \n        $14.99\n   ", 14.99}};
    static const char *const bad[] = {"",
                                      "   ",
                                      "\n \n",
                                      "nan",
                                      "inf",
                                      "0x10",
                                      "abc",
                                      "$",
                                      "₹",
                                      "-",
                                      ".",
                                      ",",
                                      "1,2,3",
                                      "1,23,45",
                                      "1.2.3",
                                      "1,0245,000",
                                      "$14.99 - $19.99",
                                      "12 months",
                                      "4 5",
                                      "|",
                                      "1 2345",
                                      "Free to Play",
                                      "1.234,50,1",
                                      "1e5x"};
    for (size_t i = 0; i < N(good); i++) {
        double v = -99;
        if (!tdm_clean_amount(&v, tdm_str_of(good[i].text)) || v != good[i].value)
            fail_msg("\"%s\": %g, not %g", good[i].text, v, good[i].value);
    }
    for (size_t i = 0; i < N(bad); i++) {
        double v;
        if (tdm_clean_amount(&v, tdm_str_of(bad[i]))) fail_msg("\"%s\" was read as %g", bad[i], v);
    }
}

static void placeholders(void **state)
{
    (void)state;
    static const char *const missing[] = {"",     " ",    "\t\r\n", "nan",     "NaN",       "null", "NULL",
                                          "None", "none", "N/A",    "unknown", "undefined", "NA",   "\\N"};
    static const char *const there[] = {"0", "Nan Goldin", "None but you", "-1", "nil", "unknown soldier"};
    static const char *const untitled[] = {"title_495", "Title 7", "-", "untitled", "No Title", "var aPageStart = 1"};
    static const char *const titled[] = {"title_495b", "Title IX", "-1", "var", "Untitled Goose Game"};
    for (size_t i = 0; i < N(missing); i++)
        if (!tdm_clean_missing(tdm_str_of(missing[i]))) fail_msg("\"%s\" is there", missing[i]);
    for (size_t i = 0; i < N(there); i++)
        if (tdm_clean_missing(tdm_str_of(there[i]))) fail_msg("\"%s\" is missing", there[i]);
    for (size_t i = 0; i < N(untitled); i++)
        if (!tdm_clean_no_title(tdm_str_of(untitled[i]))) fail_msg("\"%s\" is a title", untitled[i]);
    for (size_t i = 0; i < N(titled); i++)
        if (tdm_clean_no_title(tdm_str_of(titled[i]))) fail_msg("\"%s\" is no title", titled[i]);
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"0", 0},
                {"1393545600", 1393545600},
                {"1393545600.0", 1393545600},
                {"1.3935456e9", 1393545600},
                {"1393545600123", 1393545600},
                {"1393545600123456", 1393545600},
                {"02 28, 2014", 1393545600},
                {"2 8, 2014", 1391817600},
                {"2014-02-28", 1393545600},
                {"2014/02/28", 1393545600},
                {"20140228", 1393545600},
                {"20140228T010203Z", 1393545600 + 3723},
                {"2014-02-28 12:30:00", 1393545600 + 45000},
                {"2014-02-28T12:30:00Z", 1393545600 + 45000},
                {"2014-02-28T12:30:00.250Z", 1393545600 + 45000},
                {"2014-02-28 12:30:00 UTC", 1393545600 + 45000},
                {"2014-02-28T12:30:00+02:00", 1393545600 + 45000 - 7200},
                {"2014-02-28 12:30:00-0700", 1393545600 + 45000 + 25200},
                {"28-Feb-2014", 1393545600},
                {"28 Feb 2014", 1393545600},
                {"28. February 2014", 1393545600},
                {"February 28, 2014", 1393545600},
                {"Feb 28, 2014", 1393545600},
                {"28th February 2014", 1393545600},
                {"Fri Feb 28 12:30:00 2014", 1393545600 + 45000},
                {"Fri Feb 28 13:55:02 -0700 2014", 1393545600 + 50102 + 25200},
                {"Fri, 28 Feb 2014 12:30:00 GMT", 1393545600 + 45000},
                {"2/28/2014", 1393545600},
                {"28/2/2014", 1393545600},
                {"28.02.2014", 1393545600},
                {"12/1/2010 8:26", 1291191960},
                {"11/11/2019 9:05:58 AM", 1573463158},
                {"11/12/2019 6:11:30 PM", 1573582290},
                {"11/12/2019 12:11:30 AM", 1573517490},
                {"31-Jul-18", 1532995200},
                {"02/28/14", 1393545600},
                {"12/1/10 8:26", 1291191960},
                {"28.02.14", 1393545600},
                {"3.2.2014", 1391385600},
                {"2/3/2014", 1391385600},
                {"2016-02-29", 1456704000},
                {"20990101", 4070908800},
                {"Reviewed in the United States on February 28, 2014", 1393545600}};
    static const char *const bad[] = {"soon",          "-5",
                                      "13/13/2014",    "2014-02-30",
                                      "2013-02-29",    "1e30",
                                      "2014-13-01",    "1 2 3 4",
                                      "12:30",         "99999999999999999999",
                                      "Feb 2014",      "10:99 2014-02-28",
                                      "14-02-28",      "20140228T995959",
                                      "20140228T0102", "1900-02-29"};
    for (size_t i = 0; i < N(good); i++) {
        int64_t t = -1;
        if (!tdm_clean_time(&t, tdm_str_of(good[i].text)) || t != good[i].seconds)
            fail_msg("\"%s\": %lld, not %lld", good[i].text, (long long)t, (long long)good[i].seconds);
    }
    for (size_t i = 0; i < N(bad); i++) {
        int64_t t;
        if (tdm_clean_time(&t, tdm_str_of(bad[i]))) fail_msg("\"%s\" was read as %lld", bad[i], (long long)t);
    }
}

static void text_of_pages(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *clean;
    } cases[] = {{"one<br /><br />two", "one two"},
                 {"<b>bold</b> &amp; <a href=\"x\">linked</a>", "bold & linked"},
                 {"&amp;quot;twice&amp;quot; &#34;once&#34; &#x27;hex&#x27;", "\"twice\" \"once\" 'hex'"},
                 {"a < b > c <3", "a < b > c <3"},
                 {"tab\tand\r\nlines\n\n\nand\vmore\f", "tab and lines and more"},
                 {"bell\a; escape\x1b[0m; delete\x7f; so", "bell ; escape [0m; delete ; so"},
                 {"soft\xc2\xa0 blank, zero\xe2\x80\x8b width, mark\xef\xbb\xbf", "soft blank, zero width, mark"},
                 {"caf\xe9 \x93so\x94", "café “so”"},
                 {"half a \xe2\x82 sign, whole é", "half a \xef\xbf\xbd\xef\xbf\xbd sign, whole é"},
                 {"   \n ", ""}};
    for (size_t i = 0; i < N(cases); i++) {
        tdm_buf b = {0};
        tdm_clean_text(&b, tdm_str_of(cases[i].raw), 1000, true);
        if (!tdm_str_is((tdm_str){b.p ? b.p : "", b.n}, cases[i].clean))
            fail_msg("\"%s\": \"%.*s\"", cases[i].raw, (int)b.n, b.p);
        tdm_buf_clear(&b);
    }
}

/* A text is cut at its longest, never inside a character, and the work for it is bounded. */
static void long_text_is_cut(void **state)
{
    (void)state;
    static char text[1 << 20];
    for (size_t longest = 95; longest < 105; longest++) {
        for (size_t i = 0; i + 3 <= sizeof text; i += 3) memcpy(text + i, "€", 3);
        tdm_buf b = {0};
        tdm_clean_text(&b, (tdm_str){text, sizeof text - 1}, longest, true);
        CHECK(b.n == longest / 3 * 3 && !memcmp(b.p, text, b.n));
        tdm_buf_clear(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(amounts), cmocka_unit_test(placeholders),
                                       cmocka_unit_test(times), cmocka_unit_test(text_of_pages),
                                       cmocka_unit_test(long_text_is_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
