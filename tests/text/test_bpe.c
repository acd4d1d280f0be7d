/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "text/bpe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder of its own for each test, emptied of what a vocabulary writes. */
static const char *const files[] = {
    "vocab.json",   "merges.txt", "added_tokens.json", "special_tokens_map.json", "tokenizer_config.json",
    "encoder.json", "vocab.bpe"};

static void folder_make(char folder[64])
{
    strcpy(folder, "/tmp/tdm-bpe-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
}

static void folder_remove(const char *folder)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    CHECK(rmdir(folder) == 0);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    tdm_err e;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CHECK_OK(tdm_file_write(path, text, strlen(text), &e), e);
}

/* Texts that say the same things often enough to merge on. */
static tdm_strings corpus(int64_t offset[5])
{
    static const char bytes[] = "the cat sat on the mat, the cat sat\n"
                                "don't you think that the hat's 12 12 12\xff\xfe caf\xc3\xa9 caf\xc3\xa9\n"
                                "<|endoftext|> <item> the <item> aaaaaaaaaa aaaaaaa aaaaaa\n"
                                "\xe6\x97\xa5\xe6\x9c\xac \xe6\x97\xa5\xe6\x9c\xac  \t\n the thing";
    size_t n = 0, at = 0;
    offset[n++] = 0;
    for (at = 0; at < sizeof bytes - 1 && n < 4; at++)
        if (bytes[at] == '\n') offset[n++] = (int64_t)at + 1;
    offset[n] = sizeof bytes - 1;
    return (tdm_strings){bytes, offset, n};
}

static const char *const special[] = {"<|endoftext|>", "<item>", NULL};

static tdm_bpe *learned(size_t vocabulary)
{
    int64_t offset[5];
    tdm_strings texts = corpus(offset);
    tdm_bpe *b;
    tdm_err e;
    CHECK_OK(tdm_bpe_learn(&b, &texts, vocabulary, special, NULL, &e), e);
    return b;
}

static void round_trips(const tdm_bpe *b, tdm_str s)
{
    tdm_tokens t = {0};
    tdm_buf back = {0};
    tdm_err e;
    CHECK_OK(tdm_bpe_encode(b, &t, s, &e), e);
    tdm_bpe_decode(b, &back, t.at, t.n);
    CHECK(back.n == s.n && (!s.n || memcmp(back.p, s.p, s.n) == 0));
    tdm_free(t.at);
    tdm_buf_clear(&back);
}

/* ---- GPT-2's own vocabulary ---- */

static tdm_bpe *gpt2(void)
{
    char path[512];
    const char *shared = getenv("TDM_SHARED");
    if (shared) snprintf(path, sizeof path, "%s/gpt2", shared);
    else snprintf(path, sizeof path, "%s/../shared/data/gpt2", TDM_SOURCE_DIR);
    if (!tdm_folder_exists(path)) {
        print_message("%s is absent: GPT-2's own vocabulary is not tested\n", path);
        return NULL;
    }
    tdm_bpe *b;
    tdm_err e;
    CHECK_OK(tdm_bpe_open(&b, path, &e), e);
    CHECK(tdm_bpe_size(b) == 50257 && tdm_bpe_special(b, "<|endoftext|>") == 50256);
    return b;
}

static void map_vector_file(tdm_map *m, const char *suffix)
{
    char path[512];
    tdm_err e;
    const char *shared = getenv("TDM_SHARED");
    if (shared) snprintf(path, sizeof path, "%s/gpt2/ggml-vocab-gpt-2.gguf.%s", shared, suffix);
    else snprintf(path, sizeof path, "%s/../shared/data/gpt2/ggml-vocab-gpt-2.gguf.%s", TDM_SOURCE_DIR, suffix);
    CHECK_OK(tdm_map_open(m, path, &e), e);
}

/* Texts stand between lines "__ggml_vocab_test__"; the tokens of each are one line of the other file. */
static void published_vectors_encode_and_decode_exactly(void **state)
{
    (void)state;
    static const char between[] = "\n__ggml_vocab_test__\n";
    tdm_bpe *b = gpt2();
    if (!b) skip();
    tdm_map in, out;
    map_vector_file(&in, "inp");
    map_vector_file(&out, "out");
    const char *p = (const char *)in.p, *end = p + in.n, *want = (const char *)out.p;
    size_t cases = 0;
    tdm_err e;
    while (p < end) {
        const char *stop = p;
        while (stop + sizeof between - 1 <= end && memcmp(stop, between, sizeof between - 1)) stop++;
        bool last = stop + sizeof between - 1 > end;
        if (last) break; /* what stands behind the last separator is no case */
        tdm_str text = {p, (size_t)(stop - p)};
        tdm_tokens t = {0};
        CHECK_OK(tdm_bpe_encode(b, &t, text, &e), e);
        const char *line = memchr(want, '\n', (size_t)((const char *)out.p + out.n - want));
        size_t n = 0;
        while (want < line) {
            char *after;
            unsigned long id = strtoul(want, &after, 10);
            if (after > line || after == want) break;
            if (n >= t.n || t.at[n] != id)
                fail_msg("case %zu token %zu: %u is not %lu", cases, n, n < t.n ? t.at[n] : 0, id);
            n++;
            want = after;
        }
        CHECK(n == t.n);
        want = line + 1;
        round_trips(b, text);
        tdm_free(t.at);
        p = stop + sizeof between - 1;
        cases++;
    }
    print_message("%zu vectors\n", cases);
    CHECK(cases == 46);
    tdm_map_close(&in);
    tdm_map_close(&out);
    tdm_bpe_close(b);
}

/* What the expression alone decides, with tokens looked up in GPT-2's files by hand. */
static void white_space_is_unicodes(void **state)
{
    (void)state;
    tdm_bpe *b = gpt2();
    if (!b) skip();
    tdm_tokens t = {0};
    tdm_err e;
    /* Of two blanks the first stands alone and the second goes to the letter. */
    CHECK_OK(tdm_bpe_encode(b, &t, tdm_str_of("a  b"), &e), e);
    CHECK(t.n == 3 && t.at[0] == 64 && t.at[1] == 220 && t.at[2] == 275);
    /* U+180E is no white space, though PCRE2's \s has it: the blank before it is in its piece, and merges with its
     * first byte. */
    t.n = 0;
    CHECK_OK(tdm_bpe_encode(b, &t, tdm_str_of(" \xe1\xa0\x8e!"), &e), e);
    CHECK(t.n == 4 && t.at[0] == 28053);
    tdm_free(t.at);
    tdm_bpe_close(b);
}

static void random_bytes_round_trip_through_gpt2(void **state)
{
    (void)state;
    tdm_bpe *b = gpt2();
    if (!b) skip();
    char s[300];
    for (uint64_t k = 0; k < 20000; k++) {
        tdm_rng r = tdm_rng_make(7, k, 0);
        size_t n = (size_t)tdm_rng_below(&r, sizeof s);
        uint64_t range = k % 2 ? 256 : 128;
        for (size_t i = 0; i < n; i++) s[i] = (char)tdm_rng_below(&r, range);
        round_trips(b, (tdm_str){s, n});
    }
    tdm_bpe_close(b);
}

/* ---- learned ones ---- */

static void random_bytes_round_trip(void **state)
{
    (void)state;
    tdm_bpe *b = learned(300);
    char s[300];
    for (uint64_t k = 0; k < 20000; k++) {
        tdm_rng r = tdm_rng_make(8, k, 0);
        size_t n = (size_t)tdm_rng_below(&r, sizeof s);
        for (size_t i = 0; i < n; i++)
            s[i] = k % 2 ? (char)tdm_rng_below(&r, 256) : "atTsh \n'\xc3\xa9"[tdm_rng_below(&r, 10)];
        round_trips(b, (tdm_str){s, n});
    }
    tdm_bpe_close(b);
}

/* "ab ab ab abc": a+b is seen most; then " "+ab, and c joins nothing often enough. */
static void the_pair_seen_most_merges_first(void **state)
{
    (void)state;
    const int64_t offset[] = {0, 12};
    const tdm_strings texts = {"ab ab ab abc", offset, 1};
    tdm_bpe *b;
    tdm_err e;
    CHECK_OK(tdm_bpe_learn(&b, &texts, 300, NULL, NULL, &e), e);
    CHECK(tdm_bpe_size(b) == 258);
    tdm_tokens t = {0};
    CHECK_OK(tdm_bpe_encode(b, &t, tdm_str_of("ab abc"), &e), e);
    CHECK(t.n == 3 && t.at[0] == 256 && t.at[1] == 257 && t.at[2] == 'c' - 33);
    tdm_free(t.at);
    tdm_bpe_close(b);
}

static void learning_stops_at_the_vocabulary_asked_for(void **state)
{
    (void)state;
    tdm_bpe *b = learned(260);
    CHECK(tdm_bpe_size(b) == 262);
    CHECK(tdm_bpe_special(b, "<item>") == 261 && tdm_bpe_special(b, "the") == UINT32_MAX);
    tdm_bpe_close(b);
    int64_t offset[5];
    tdm_strings texts = corpus(offset);
    tdm_err e;
    CHECK(tdm_bpe_learn(&b, &texts, 255, NULL, NULL, &e) == TDM_E_ARG && b == NULL);
}

static void special_tokens_never_come_from_text_and_decode_to_nothing(void **state)
{
    (void)state;
    tdm_bpe *b = learned(400);
    tdm_tokens t = {0};
    tdm_err e;
    static const char text[] = "<|endoftext|><item> <item>  <|endoftext|>";
    CHECK_OK(tdm_bpe_encode(b, &t, tdm_str_of(text), &e), e);
    uint32_t end = tdm_bpe_special(b, "<|endoftext|>"), item = tdm_bpe_special(b, "<item>");
    CHECK(end < tdm_bpe_size(b) && item == end + 1);
    for (size_t i = 0; i < t.n; i++) CHECK(t.at[i] != end && t.at[i] != item);
    round_trips(b, tdm_str_of(text));
    tdm_buf out = {0};
    tdm_bpe_decode(b, &out, (const uint32_t[]){end, item, UINT32_MAX}, 3);
    CHECK(out.n == 0);
    const char *const byte[] = {"a", NULL}, *const word[] = {" the", NULL}, *const again[] = {"<item>", "<new>", NULL};
    CHECK(tdm_bpe_add_special(b, byte, &e) == TDM_E_ARG);
    CHECK(tdm_bpe_add_special(b, word, &e) == TDM_E_ARG);
    CHECK_OK(tdm_bpe_add_special(b, again, &e), e);
    CHECK(tdm_bpe_special(b, "<item>") == item && tdm_bpe_special(b, "<new>") == item + 1);
    tdm_free(t.at);
    tdm_bpe_close(b);
}

static void saved_files_open_again_and_encode_the_same(void **state)
{
    (void)state;
    char one[64], two[64];
    folder_make(one);
    folder_make(two);
    tdm_bpe *a = learned(330), *b;
    tdm_err e;
    CHECK_OK(tdm_bpe_save(a, one, &e), e);
    CHECK_OK(tdm_bpe_open(&b, one, &e), e);
    CHECK_OK(tdm_bpe_save(b, two, &e), e);
    CHECK(tdm_bpe_size(a) == tdm_bpe_size(b));
    CHECK(tdm_bpe_special(a, "<item>") == tdm_bpe_special(b, "<item>"));
    int64_t offset[5];
    tdm_strings texts = corpus(offset);
    for (size_t i = 0; i < texts.n; i++) {
        tdm_tokens x = {0}, y = {0};
        CHECK_OK(tdm_bpe_encode(a, &x, tdm_strings_at(&texts, i), &e), e);
        CHECK_OK(tdm_bpe_encode(b, &y, tdm_strings_at(&texts, i), &e), e);
        CHECK(x.n == y.n && memcmp(x.at, y.at, x.n * sizeof *x.at) == 0);
        tdm_free(x.at);
        tdm_free(y.at);
    }
    for (size_t i = 0; i < 5; i++) {
        char p[256], q[256], x[65], y[65];
        snprintf(p, sizeof p, "%s/%s", one, files[i]);
        snprintf(q, sizeof q, "%s/%s", two, files[i]);
        CHECK_OK(tdm_file_sha256(x, p, &e), e);
        CHECK_OK(tdm_file_sha256(y, q, &e), e);
        assert_string_equal(x, y);
    }
    tdm_bpe_close(a);
    tdm_bpe_close(b);
    folder_remove(one);
    folder_remove(two);
}

static void learning_is_the_same_at_any_number_of_threads(void **state)
{
    (void)state;
    static const size_t threads[] = {1, 2, 7};
    int64_t offset[5];
    tdm_strings texts = corpus(offset);
    char sha[3][2][65];
    tdm_err e;
    for (size_t i = 0; i < 3; i++) {
        char folder[64], path[256];
        tdm_run *run;
        tdm_bpe *b;
        folder_make(folder);
        CHECK_OK(tdm_run_open(&run, &(tdm_run_options){.threads = threads[i], .seed = i}, &e), e);
        CHECK_OK(tdm_bpe_learn(&b, &texts, 330, special, run, &e), e);
        CHECK_OK(tdm_bpe_save(b, folder, &e), e);
        for (size_t f = 0; f < 2; f++) {
            snprintf(path, sizeof path, "%s/%s", folder, files[f]);
            CHECK_OK(tdm_file_sha256(sha[i][f], path, &e), e);
            assert_string_equal(sha[i][f], sha[0][f]);
        }
        tdm_bpe_close(b);
        tdm_run_cancel(run);
        CHECK(tdm_bpe_learn(&b, &texts, 330, special, run, &e) == TDM_E_CANCELLED && !b);
        tdm_run_close(run);
        folder_remove(folder);
    }
}

/* A word of a million letters must cost a moment and no stack. */
static void one_long_word_is_no_attack(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    tdm_bpe *b = learned(330);
    char *s = tdm_new(N, 1);
    memset(s, 'a', N);
    round_trips(b, (tdm_str){s, N});
    memset(s, ' ', N);
    round_trips(b, (tdm_str){s, N});
    memset(s, 0xff, N);
    round_trips(b, (tdm_str){s, N});
    tdm_free(s);
    tdm_bpe_close(b);
}

/* Merges out of order: "aa" has rank 1, "aaa" out of it rank 0. The original merges every "aa" of a round before it
 * looks again, so that four letters are aa aa and not aaa a. */
static void rounds_are_the_originals(void **state)
{
    (void)state;
    char folder[64];
    folder_make(folder);
    put(folder, "vocab.json", "{\"a\":0,\"aa\":1,\"aaa\":2,\"b\":3}");
    put(folder, "merges.txt", "aa a\na a\n");
    tdm_bpe *b;
    tdm_tokens t = {0};
    tdm_err e;
    CHECK_OK(tdm_bpe_open(&b, folder, &e), e);
    CHECK_OK(tdm_bpe_encode(b, &t, tdm_str_of("aaaa"), &e), e);
    CHECK(t.n == 2 && t.at[0] == 1 && t.at[1] == 1);
    t.n = 0;
    CHECK_OK(tdm_bpe_encode(b, &t, tdm_str_of("aaa"), &e), e);
    CHECK(t.n == 1 && t.at[0] == 2);
    t.n = 0;
    CHECK_OK(tdm_bpe_encode(b, &t, tdm_str_of("axa"), &e), e); /* no token for x: it cannot be said */
    CHECK(t.n == 1 && t.at[0] == 1);
    tdm_free(t.at);
    tdm_bpe_close(b);
    folder_remove(folder);
}

static void damaged_files_are_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *vocab, *merges, *added, *map, *says;
    } bad[] = {
        {"[1]", "", NULL, NULL, "not an object"},
        {"{\"a\":0", "", NULL, NULL, "not valid JSON"},
        {"{}", "", NULL, NULL, "no tokens"},
        {"{\"a\":-1}", "", NULL, NULL, "entry 1 has no number"},
        {"{\"a\":0.5}", "", NULL, NULL, "entry 1 has no number"},
        {"{\"a\":4000000}", "", NULL, NULL, "entry 1 has no number"},
        {"{\"a\":\"0\"}", "", NULL, NULL, "entry 1 has no number"},
        {"{\"\":0}", "", NULL, NULL, "is empty"},
        {"{\"a\":0,\"b\":0}", "", NULL, NULL, "there twice"},
        {"{\"a\":0,\"a\":1}", "", NULL, NULL, "the same"},
        {"{\"a\":0,\"b\":1}", "a b", NULL, NULL, "merges.txt:1"},
        {"{\"a\":0,\"b\":1,\"ab\":2}", "#version: 0.2\nab\n", NULL, NULL, "merges.txt:2"},
        {"{\"a\":0,\"b\":1,\"ab\":2}", "a b\na b\n", NULL, NULL, "merges.txt:2"},
        {"{\"a\":0,\"b\":1,\"ab\":2}", "a b\n", "{\"ab\":2}", NULL, "merges.txt:1"},
        {"{\"a\":0,\"b\":1,\"ab\":2}", "a b\n", NULL, "{\"eos_token\":{\"content\":\"ab\"}}", "merges.txt:1"},
        {"{\"a\":0,\"b\":1}", "", "{\"b\":1}", NULL, "cannot be special"},
        {"{\"a\":0,\"b\":1}", "", NULL, "{\"x\":[\"b\"]}", "cannot be special"},
        {"{\"a\":0,\"b\":1}", "", "{\"<x>\":1}", NULL, "there twice"},
    };
    char folder[64];
    folder_make(folder);
    tdm_bpe *b;
    tdm_err e;
    CHECK(tdm_bpe_open(&b, folder, &e) == TDM_E_IO && !b && strstr(e.msg, "encoder.json"));
    size_t live = tdm_mem_live();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(folder, "vocab.json", bad[i].vocab);
        put(folder, "merges.txt", bad[i].merges);
        put(folder, "added_tokens.json", bad[i].added ? bad[i].added : "{}");
        put(folder, "special_tokens_map.json", bad[i].map ? bad[i].map : "{}");
        tdm_status st = tdm_bpe_open(&b, folder, &e);
        if (st != TDM_E_FORMAT || !strstr(e.msg, bad[i].says)) fail_msg("case %zu: %d %s", i, (int)st, e.msg);
        CHECK(!b && tdm_mem_live() == live);
    }
    folder_remove(folder);
}

static void short_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    char folder[64];
    folder_make(folder);
    tdm_bpe *b = learned(300);
    tdm_err e;
    CHECK_OK(tdm_bpe_save(b, folder, &e), e);
    tdm_bpe_close(b);
    int64_t offset[5];
    tdm_strings texts = corpus(offset);
    size_t live = tdm_mem_live();
    long k = 0, well = 0;
    /* Matching does without its compiler where memory is short, so one success is not yet the end; fifty are. */
    for (; well < 50 && k < 20000; k++) {
        tdm_bpe *c = NULL, *d = NULL;
        tdm_tokens t = {0};
        tdm_mem_fail_after(k);
        tdm_status st = tdm_bpe_learn(&c, &texts, 270, special, NULL, &e);
        if (!st) st = tdm_bpe_open(&d, folder, &e);
        if (!st) st = tdm_bpe_encode(d, &t, tdm_strings_at(&texts, 0), &e);
        tdm_mem_fail_after(-1);
        tdm_free(t.at);
        tdm_bpe_close(c);
        tdm_bpe_close(d);
        CHECK(tdm_mem_live() == live);
        well = st == TDM_OK ? well + 1 : 0;
        CHECK(st == TDM_OK || st == TDM_E_NOMEM);
    }
    CHECK(k > 200 && well == 50);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_encode_and_decode_exactly),
        cmocka_unit_test(white_space_is_unicodes),
        cmocka_unit_test(random_bytes_round_trip_through_gpt2),
        cmocka_unit_test(random_bytes_round_trip),
        cmocka_unit_test(the_pair_seen_most_merges_first),
        cmocka_unit_test(learning_stops_at_the_vocabulary_asked_for),
        cmocka_unit_test(special_tokens_never_come_from_text_and_decode_to_nothing),
        cmocka_unit_test(saved_files_open_again_and_encode_the_same),
        cmocka_unit_test(learning_is_the_same_at_any_number_of_threads),
        cmocka_unit_test(one_long_word_is_no_attack),
        cmocka_unit_test(rounds_are_the_originals),
        cmocka_unit_test(damaged_files_are_refused_with_a_sentence),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
