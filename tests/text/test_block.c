/* SPDX-License-Identifier: Apache-2.0 */
/* test_block.c - how texts are folded, and which blocked words and phrases are found in them. */
#include "check.h"

#include "base/mem.h"
#include "text/block.h"

#include <stdio.h>
#include <string.h>

static tdm_block *list_of(const char *text)
{
    tdm_block *b;
    tdm_err err;
    CHECK_OK(tdm_block_open(&b, &err), err);
    CHECK_OK(tdm_block_read(b, "list", tdm_str_of(text), &err), err);
    return b;
}

static bool finds(const tdm_block *b, const char *text)
{
    bool found;
    tdm_err err;
    CHECK_OK(tdm_block_find(b, &found, tdm_str_of(text), NULL, &err), err);
    return found;
}

static void words_are_found_whole_in_any_case_and_script(void **state)
{
    (void)state;
    static const struct {
        const char *list, *text;
        bool found;
    } cases[] = {
        {"gun", "A GUN!", true},
        {"gun", "It came with guns, begun and gunned.", false},
        {"gun", "gun", true},
        {"gun", "", false},
        {"gun", "g un", false},
        {"gun", "gun2 and _gun_", true}, /* marks around it, as people emphasise */
        {"gun", "gun2 is another", false},
        {"gun", "Top-gun", true},
        {"hot dog", "A Hot \t\r\n Dog.", true},
        {"hot   dog",
         "A hot\xc2\xa0"
         "dog.",
         true}, /* a no-break space, and the list's own blanks */
        {"hot dog", "hot, dog", false},
        {"hot dog", "hot dogs", false},
        {"hot\nhot dog house", "the hot dogs", true}, /* the shorter one, where the longer fails */
        {"hot dog house\nhot dog", "a hot dog home", true},
        {"hot dog house\nhot dogma", "a hot dog home", false},
        {"don't", "You DON\xe2\x80\x99T say", true}, /* a typographic apostrophe */
        {"STRASSE",
         "Die stra\xc3\x9f"
         "e ist lang",
         true},
        {"stra\xc3\x9f"
         "e",
         "Die STRASSE ist lang", true},
        {"caf\xc3\xa9", "Cafe\xcc\x81 noir", true}, /* e and an accent of its own */
        {"cafe", "Cafe\xcc\x81 noir", false},
        {"\xce\x9f\xce\x94\xce\x9f\xce\xa3", "\xce\xbf\xce\xb4\xce\xbf\xcf\x82", true}, /* odos, with a final sigma */
        {"\xd0\xb2\xd0\xbe\xd0\xb9\xd0\xbd\xd0\xb0", "\xd0\x92\xd0\x9e\xd0\x99\xd0\x9d\xd0\x90!", true}, /* Cyrillic */
        {"damn",
         "d\xe2\x80\x8b"
         "am\xc2\xadn it",
         true},                                                             /* a zero-width space, a soft hyphen */
        {"damn", "\xef\xbc\xa4\xef\xbd\x81\xef\xbd\x8d\xef\xbd\x8e", true}, /* full-width letters */
        {"\xe7\xa6\x81\xe6\xad\xa2", "\xe8\xbf\x99\xe6\x98\xaf\xe7\xa6\x81\xe6\xad\xa2\xe7\x9a\x84", true}, /* Han */
        {"$$$", "only 5$$$!", true}, /* marks need no border */
        {"5 stars", "15 stars", false},
        {"5 stars", "(5 stars)", true},
        {"bad",
         "b\xff"
         "ad",
         false},
        {"bad",
         "\xff"
         "bad\xff",
         true}, /* what is no UTF-8 is no letter */
        {"a\nb\nc\nzebra crossing", "the Zebra Crossing", true},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tdm_block *b = list_of(cases[k].list);
        if (finds(b, cases[k].text) != cases[k].found)
            fail_msg("\"%s\" %s in \"%s\"", cases[k].list, cases[k].found ? "not found" : "found", cases[k].text);
        tdm_block_close(b);
    }
    CHECK(!finds(NULL, "gun"));
}

static void a_list_has_comments_and_lists_add_up(void **state)
{
    (void)state;
    tdm_err err;
    tdm_block *b = list_of("\xef\xbb\xbf"
                           "one\r\n\n  # two\n#three\n  four four \r\nONE\nfour  FOUR");
    CHECK(tdm_block_size(b) == 2);
    CHECK(finds(b, "One") && finds(b, "four four") && !finds(b, "four") && !finds(b, "two") && !finds(b, "three"));
    CHECK_OK(tdm_block_read(b, "more", tdm_str_of("two"), &err), err);
    CHECK(tdm_block_size(b) == 3 && finds(b, "two") && finds(b, "one"));
    CHECK_OK(tdm_block_read(b, "none", tdm_str_of(""), &err), err);
    CHECK(tdm_block_size(b) == 3);
    tdm_block_close(b);
}

static void a_bad_line_is_said_and_changes_nothing(void **state)
{
    (void)state;
    char longest[TDM_BLOCK_BYTES + 16] = "ok\n";
    memset(longest + 3, 'x', TDM_BLOCK_BYTES + 1);
    const char *bad[] = {"ok\n\nno\xff"
                         "pe\n",
                         "ok\n#\n\xe2\x80\x8b\n", longest};
    const char *says[] = {"list:3: this is not UTF-8", "list:3: nothing of this shows", "list:2: 401 bytes"};
    tdm_err err;
    tdm_block *b = list_of("before");
    for (size_t k = 0; k < 3; k++) {
        CHECK(tdm_block_read(b, "list", tdm_str_of(bad[k]), &err) == TDM_E_FORMAT);
        if (strncmp(err.msg, says[k], strlen(says[k]))) fail_msg("%s", err.msg);
        CHECK(tdm_block_size(b) == 1 && finds(b, "before") && !finds(b, "ok"));
    }
    longest[3 + TDM_BLOCK_BYTES] = 0; /* as long as may be */
    CHECK_OK(tdm_block_read(b, "list", tdm_str_of(longest), &err), err);
    CHECK(tdm_block_size(b) == 3 && finds(b, longest + 3));
    tdm_block_close(b);
}

/* Many entries, each found by walking the sorted list, and only those. */
static void a_long_list_finds_its_own_words_only(void **state)
{
    (void)state;
    tdm_buf text = {0};
    enum { N = 5000 };
    for (unsigned k = 0; k < N; k++) tdm_buf_fmt(&text, "word%u%s\n", k * 7919u % N * 2, k % 3 ? "" : " more");
    tdm_block *b = list_of(text.p);
    CHECK(tdm_block_size(b) == N);
    for (unsigned k = 0; k < N; k++) {
        char s[64];
        unsigned v = k * 7919u % N * 2;
        snprintf(s, sizeof s, "Some Word%u here", v);
        CHECK(finds(b, s) == (k % 3 != 0));
        snprintf(s, sizeof s, "Some Word%u More here", v);
        CHECK(finds(b, s));
        snprintf(s, sizeof s, "Some word%u more", v + 1);
        CHECK(!finds(b, s));
    }
    tdm_block_close(b);
    tdm_buf_clear(&text);
}

static void short_memory_leaves_the_list_as_it_was(void **state)
{
    (void)state;
    tdm_err err;
    tdm_block *b = list_of("before");
    size_t live = tdm_mem_live();
    tdm_buf many = {0};
    for (int k = 0; k < 400; k++) tdm_buf_fmt(&many, "entry number %d\n", k);
    live = tdm_mem_live();
    long k = 0;
    for (tdm_status st = TDM_E_NOMEM; st; k++) {
        tdm_mem_fail_after(k);
        st = tdm_block_read(b, "list", (tdm_str){many.p, many.n}, &err);
        tdm_mem_fail_after(-1);
        CHECK(tdm_mem_live() == live && (st == TDM_OK || st == TDM_E_NOMEM));
        CHECK(tdm_block_size(b) == (st ? 1u : 401u));
    }
    CHECK(k > 3 && finds(b, "an entry number 399"));
    bool found;
    tdm_mem_fail_after(0);
    CHECK(tdm_block_find(b, &found, tdm_str_of("before"), NULL, &err) == TDM_E_NOMEM && !found);
    tdm_mem_fail_after(-1);
    CHECK(tdm_mem_live() == live);
    tdm_block_close(b);
    tdm_buf_clear(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found_whole_in_any_case_and_script),
        cmocka_unit_test(a_list_has_comments_and_lists_add_up),
        cmocka_unit_test(a_bad_line_is_said_and_changes_nothing),
        cmocka_unit_test(a_long_list_finds_its_own_words_only),
        cmocka_unit_test(short_memory_leaves_the_list_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
