/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "gpt2/prompt.h"
#include "gpt2/trie.h"

#include <math.h>
#include <string.h>

enum { END = 99 };

/* 0: 5 6 7   1: 5 6   2: 5 8   3: (none)   4: 5 6 (a second item called like 1)   5: 2 */
static const uint32_t token[] = {5, 6, 7, 5, 6, 5, 8, 5, 6, 2};
static const int64_t offset[] = {0, 3, 5, 7, 7, 9, 10};

static tdm_trie make(void)
{
    tdm_trie t;
    tdm_err e;
    CHECK_OK(tdm_trie_make(&t, token, offset, 6, END, &e), e);
    return t;
}

static void children_come_in_order_with_the_end_first(void **state)
{
    (void)state;
    tdm_trie t = make();
    uint32_t next[6];
    tdm_trie_node child[6], n56;
    CHECK(t.n == 5);
    CHECK(tdm_trie_children(&t, tdm_trie_root(&t), next, child, 6) == 2 && next[0] == 2 && next[1] == 5);
    CHECK(tdm_trie_children(&t, child[1], next, child, 6) == 2 && next[0] == 6 && next[1] == 8);
    n56 = child[0];
    CHECK(tdm_trie_children(&t, n56, next, child, 6) == 2 && next[0] == END && next[1] == 7);
    CHECK(child[0].whole && !child[1].whole);
    CHECK(tdm_trie_children(&t, child[0], next, child, 6) == 0);
    CHECK(tdm_trie_children(&t, n56, next, child, 1) == 1 && next[0] == END);
    tdm_trie_clear(&t);
}

static void a_shared_title_leads_to_all_its_items_by_index(void **state)
{
    (void)state;
    tdm_trie t = make();
    uint32_t next[6];
    tdm_trie_node child[6];
    tdm_trie_children(&t, tdm_trie_root(&t), next, child, 6);
    tdm_trie_children(&t, child[1], next, child, 6);
    tdm_trie_children(&t, child[0], next, child, 6);
    CHECK(child[0].high - child[0].low == 2 && t.item[child[0].low] == 1 && t.item[child[0].low + 1] == 4);
    tdm_trie_clear(&t);
}

/* Random walks over a random catalogue end in titles of the catalogue only, and in all of them. */
static void no_walk_leaves_the_catalogue(void **state)
{
    (void)state;
    enum { I = 300, LONG = 5 };
    static uint32_t tokens[I * LONG], next[I];
    static int64_t at[I + 1];
    static tdm_trie_node child[I];
    static uint8_t reached[I];
    tdm_rng r = tdm_rng_make(3, 0, 0);
    for (size_t i = 0; i < I; i++) {
        size_t n = 1 + (size_t)tdm_rng_below(&r, LONG);
        at[i + 1] = at[i] + (int64_t)n;
        for (size_t k = 0; k < n; k++) tokens[at[i] + (int64_t)k] = (uint32_t)tdm_rng_below(&r, 4);
    }
    tdm_trie t;
    tdm_err e;
    CHECK_OK(tdm_trie_make(&t, tokens, at, I, END, &e), e);
    for (int walk = 0; walk < 20000; walk++) {
        uint32_t said[LONG + 1], n = 0;
        tdm_trie_node node = tdm_trie_root(&t);
        while (!node.whole) {
            size_t ways = tdm_trie_children(&t, node, next, child, I), way = (size_t)tdm_rng_below(&r, ways);
            CHECK(ways > 0 && n <= LONG);
            for (uint32_t say = 0; walk < 500 && say <= END; say++) { /* a step leads where the list of ways does */
                size_t w = 0;
                tdm_trie_node to;
                while (w < ways && next[w] != say) w++;
                CHECK(tdm_trie_step(&t, node, say, &to) == (w < ways));
                if (w == ways) continue;
                CHECK(to.low == child[w].low && to.high == child[w].high && to.depth == child[w].depth);
                CHECK(to.whole == child[w].whole);
            }
            said[n++] = next[way];
            node = child[way];
        }
        CHECK(said[n - 1] == END);
        CHECK(node.low < node.high);
        for (uint32_t p = node.low; p < node.high; p++) {
            uint32_t i = t.item[p];
            CHECK(at[i + 1] - at[i] == n - 1 && memcmp(tokens + at[i], said, (n - 1) * sizeof *said) == 0);
            reached[i] = 1;
        }
        for (size_t i = 0; i < I; i++) { /* and no item with this title is missing */
            bool same = at[i + 1] - at[i] == n - 1 && memcmp(tokens + at[i], said, (n - 1) * sizeof *said) == 0;
            bool in = false;
            for (uint32_t p = node.low; p < node.high; p++) in |= t.item[p] == i;
            if (walk < 500) CHECK(same == in);
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < I; i++) n += reached[i];
    CHECK(n > I * 9 / 10);
    tdm_trie_clear(&t);
}

/* ---- the text of prompts ---- */

static void check_clean(const char *text, size_t most, const char *want)
{
    tdm_buf b = {0};
    tdm_prompt_clean(&b, tdm_str_of(text), most);
    assert_string_equal(b.p ? b.p : "", want);
    tdm_buf_clear(&b);
}

static void text_becomes_one_clean_line(void **state)
{
    (void)state;
    check_clean("  a\tb\r\n\x01 c\xff d\xc2\xa0 ", 99, "a b c d");
    check_clean("\xe2\x80\xa8x\xe2\x80\x8by", 99, "x y");
    check_clean("one two three", 8, "one two");
    check_clean("one two three", 7, "one two");
    check_clean("endless", 3, "end");
    check_clean("caf\xc3\xa9", 4, "caf");
    check_clean(" \n ", 9, "");
}

static void check_sentences(const char *text, size_t most, const char *want)
{
    tdm_str s = tdm_prompt_sentences(tdm_str_of(text), most);
    CHECK(s.n == strlen(want) && memcmp(s.p, want, s.n) == 0);
}

static void sentences_end_where_they_end(void **state)
{
    (void)state;
    check_sentences("It costs 4.50 and works. Then more", 99, "It costs 4.50 and works.");
    check_sentences("Nice! It came on time and all was well. Third one.", 99,
                    "Nice! It came on time and all was well.");
    check_sentences("He said \"great.\" And so on", 99, "He said \"great.\"");
    check_sentences("Well... yes", 99, "Well...");
    check_sentences("No end to this", 99, "");
    check_sentences("This one is too long for it.", 10, "");
    CHECK(tdm_prompt_ends(tdm_str_of("Great!")) && tdm_prompt_ends(tdm_str_of("\"Great.\"")));
    CHECK(tdm_prompt_ends(tdm_str_of("Well\xe2\x80\xa6")) && !tdm_prompt_ends(tdm_str_of("Great")));
    CHECK(!tdm_prompt_ends(tdm_str_of("")) && !tdm_prompt_ends(tdm_str_of("a. b")));
}

static void ratings_have_words_by_fifths_of_the_scale(void **state)
{
    (void)state;
    for (int r = 1; r <= 5; r++) CHECK(tdm_rating_word((float)r, 1, 5) == r - 1);
    CHECK(tdm_rating_word(10, 0, 10) == 4 && tdm_rating_word(0, 0, 10) == 0 && tdm_rating_word(99, 1, 5) == 4);
    CHECK(tdm_rating_word(NAN, 1, 5) == -1 && tdm_rating_word(3, 3, 3) == -1);
}

static void short_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    size_t live = tdm_mem_live();
    tdm_err e;
    tdm_trie t;
    for (long k = 0; k < 2; k++) {
        tdm_mem_fail_after(k);
        CHECK(tdm_trie_make(&t, token, offset, 6, END, &e) == TDM_E_NOMEM && t.item == NULL);
        tdm_mem_fail_after(-1);
        CHECK(tdm_mem_live() == live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_come_in_order_with_the_end_first),
        cmocka_unit_test(a_shared_title_leads_to_all_its_items_by_index),
        cmocka_unit_test(no_walk_leaves_the_catalogue),
        cmocka_unit_test(text_becomes_one_clean_line),
        cmocka_unit_test(sentences_end_where_they_end),
        cmocka_unit_test(ratings_have_words_by_fifths_of_the_scale),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
