/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "data/clean.h"

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
        tdm_clean_text(&b, tdm_str_of(cases[k].in), cases[k].longest);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_made_clean),
        cmocka_unit_test(times_of_many_forms_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
