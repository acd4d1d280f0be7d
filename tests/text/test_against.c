/* SPDX-License-Identifier: Apache-2.0 */
/* test_against.c - GPT-2's own vocabulary on real and random bytes: equal to the slow way, and back again. With
 * TANDEM_DEEP=1 in the environment, on all of them. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "check.h"
#include "slow.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "text/bpe.h"
#include "text/inside.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART = 4096, SAMPLE = 1 << 15, RANDOM = 1 << 21, RANDOM_DEEP = 80 << 20 };

static char folder[512];
static tdm_bpe *bpe;
static slow *by_hand;
static size_t seen, most;

static bool deep(void)
{
    const char *s = getenv("TANDEM_DEEP");
    return s && *s && strcmp(s, "0");
}

static int set_up(void **state)
{
    (void)state;
    const char *shared = getenv("TDM_SHARED");
    if (shared) snprintf(folder, sizeof folder, "%s", shared);
    else snprintf(folder, sizeof folder, "%s/../shared/data", TDM_SOURCE_DIR);
    char path[600];
    snprintf(path, sizeof path, "%s/gpt2/vocab.bpe", folder);
    if (!tdm_file_exists(path)) {
        print_message("%s is absent: nothing is tested\n", path);
        return 0;
    }
    by_hand = slow_open(path);
    snprintf(path, sizeof path, "%s/gpt2", folder);
    tdm_err e;
    CHECK_OK(tdm_bpe_open(&bpe, path, &e), e);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (bpe) slow_close(by_hand);
    tdm_bpe_close(bpe);
    return 0;
}

static void back_again(tdm_str text, tdm_tokens *t, tdm_buf *out)
{
    tdm_err e;
    t->n = 0;
    tdm_buf_reset(out);
    CHECK_OK(tdm_bpe_encode(bpe, t, text, &e), e);
    tdm_bpe_decode(bpe, out, t->at, t->n);
    CHECK(out->n == text.n && (!text.n || !memcmp(out->p, text.p, text.n)));
}

static void equals_slow(tdm_str text)
{
    static tdm_tokens t;
    static tdm_buf want, got, one;
    back_again(text, &t, &one);
    tdm_buf_reset(&want);
    tdm_buf_reset(&got);
    slow_encode(by_hand, &want, text);
    for (size_t i = 0; i < t.n; i++) {
        tdm_buf_reset(&one);
        tdm_bpe_decode(bpe, &one, t.at + i, 1);
        slow_write(&got, (tdm_str){one.p, one.n});
        tdm_buf_char(&got, '\n');
    }
    CHECK(!got.failed);
    if (got.n != want.n || memcmp(got.p, want.p, got.n)) {
        size_t i = 0;
        while (i < got.n && i < want.n && got.p[i] == want.p[i]) i++;
        size_t from = i > 20 ? i - 20 : 0;
        fail_msg("in \"%.60s\": \"%.40s\" is not \"%.40s\"", text.p, got.p + from, want.p + from);
    }
    if (seen == SIZE_MAX) { /* the last call: what is kept between calls goes */
        tdm_free(t.at);
        t = (tdm_tokens){0};
        tdm_buf_clear(&want);
        tdm_buf_clear(&got);
        tdm_buf_clear(&one);
    }
}

/* ---- real texts ---- */

static int one_file(const char *path, const struct stat *st, int kind, struct FTW *w)
{
    (void)w;
    if (kind != FTW_F || !st->st_size) return 0;
    tdm_map m;
    tdm_err e;
    CHECK_OK(tdm_map_open(&m, path, &e), e);
    size_t n = m.n < most ? m.n : most;
    for (size_t at = 0; at < n; at += PART) /* in parts: the slow cut looks to the end of its text again and again */
        equals_slow((tdm_str){(const char *)m.p + at, n - at < PART ? n - at : PART});
    seen += n;
    tdm_map_close(&m);
    return 0;
}

static void real_texts_encode_as_the_slow_way_says(void **state)
{
    (void)state;
    if (!bpe) skip();
    most = deep() ? SIZE_MAX : SAMPLE;
    seen = 0;
    CHECK(nftw(folder, one_file, 16, FTW_PHYS) == 0);
    print_message("%zu bytes of real texts\n", seen);
    CHECK(seen > 100000);
    seen = SIZE_MAX;
    equals_slow((tdm_str){"", 0});
}

static int one_back(const char *path, const struct stat *st, int kind, struct FTW *w)
{
    (void)w;
    if (kind != FTW_F || !st->st_size) return 0;
    tdm_map m;
    tdm_tokens t = {0};
    tdm_buf out = {0};
    tdm_err e;
    CHECK_OK(tdm_map_open(&m, path, &e), e);
    back_again((tdm_str){(const char *)m.p, m.n}, &t, &out);
    seen += m.n;
    tdm_map_close(&m);
    tdm_free(t.at);
    tdm_buf_clear(&out);
    return 0;
}

/* ---- random ones ---- */

/* Words, blanks and marks that the expression tells apart, some of them broken UTF-8. */
static const char *const bits[] = {"'",
                                   "s",
                                   "re",
                                   "ll",
                                   "'ve",
                                   " ",
                                   "  ",
                                   "\n",
                                   "\t",
                                   "\r\n",
                                   "a",
                                   "The",
                                   "Z",
                                   "0",
                                   "12",
                                   "!",
                                   "...",
                                   "\x1c",
                                   "\x7f",
                                   "\xc2\xa0",
                                   "\xc2\x85",
                                   "\xff",
                                   "\xe3\x80\x80",
                                   "\xc3\xa9",
                                   "\xc2\xb2",
                                   "\xe6\x97",
                                   "\xe6\x97\xa5",
                                   "\xe1\xa0\x8e",
                                   "\xf0\x9f\x98\x80",
                                   "\xcc\x81",
                                   "$",
                                   "<|endoftext|>",
                                   "ing",
                                   " the",
                                   "\xe2\x80\xa8",
                                   "\x80"};

static size_t draw_bits(tdm_rng *r, char *s, size_t room)
{
    size_t n = 0, many = (size_t)tdm_rng_below(r, 24);
    for (size_t i = 0; i < many; i++) {
        const char *b = bits[tdm_rng_below(r, sizeof bits / sizeof *bits)];
        size_t k = strlen(b);
        if (n + k > room) break;
        memcpy(s + n, b, k);
        n += k;
    }
    return n;
}

typedef struct pieces {
    tdm_str text;
    size_t at;
} pieces;

static tdm_status same_piece(void *ctx, tdm_str piece, tdm_err *err)
{
    (void)err;
    pieces *p = ctx;
    CHECK(piece.p == p->text.p + p->at);
    size_t end = slow_cut(by_hand, p->text, p->at);
    if (end != p->at + piece.n)
        fail_msg("\"%.*s\" is cut at %zu, not %zu", (int)p->text.n, p->text.p, p->at + piece.n, end);
    p->at = end;
    return TDM_OK;
}

static void pieces_are_the_expressions(void **state)
{
    (void)state;
    if (!bpe) skip();
    uint64_t rounds = deep() ? 2000000 : 60000;
    char s[160];
    tdm_err e;
    for (uint64_t k = 0; k < rounds; k++) {
        tdm_rng r = tdm_rng_make(21, k, 0);
        size_t n = k % 4 ? draw_bits(&r, s, sizeof s) : (size_t)tdm_rng_below(&r, 60);
        if (k % 4 == 0)
            for (size_t i = 0; i < n; i++) s[i] = (char)tdm_rng_below(&r, k % 8 ? 256 : 128);
        pieces p = {{s, n}, 0};
        CHECK_OK(cutter_run(&bpe->cut, p.text, same_piece, &p, &e), e);
        CHECK(p.at == n);
    }
}

static void random_texts_encode_as_the_slow_way_says(void **state)
{
    (void)state;
    if (!bpe) skip();
    uint64_t rounds = deep() ? 100000 : 4000;
    char s[400];
    seen = 0;
    for (uint64_t k = 0; k < rounds; k++) {
        tdm_rng r = tdm_rng_make(22, k, 0);
        size_t n = k % 2 ? draw_bits(&r, s, sizeof s) : (size_t)tdm_rng_below(&r, sizeof s);
        if (k % 2 == 0) /* one long word of few letters: with a heap and without one */
            for (size_t i = 0; i < n; i++) s[i] = "aabehinorst"[tdm_rng_below(&r, 11)];
        if (k + 1 == rounds) seen = SIZE_MAX;
        equals_slow((tdm_str){s, n});
    }
}

static void bytes_come_back(void **state)
{
    (void)state;
    if (!bpe) skip();
    enum { BLOCK = 1 << 20 };
    char *s = tdm_new(BLOCK, 1);
    tdm_tokens t = {0};
    tdm_buf out = {0};
    CHECK(s != NULL);
    size_t random = deep() ? RANDOM_DEEP : RANDOM;
    for (size_t done = 0, k = 0; done < random; done += BLOCK, k++) {
        tdm_rng r = tdm_rng_make(23, k, 0);
        for (size_t i = 0; i < BLOCK;) {
            if (k % 2) i += draw_bits(&r, s + i, BLOCK - i < 160 ? BLOCK - i : 160);
            else s[i++] = (char)tdm_rng_below(&r, 256);
            if (k % 2 && BLOCK - i < 16) s[i++] = 'x';
        }
        back_again((tdm_str){s, BLOCK}, &t, &out);
    }
    tdm_free(s);
    tdm_free(t.at);
    tdm_buf_clear(&out);
    seen = 0;
    CHECK(nftw(folder, one_back, 16, FTW_PHYS) == 0);
    print_message("%zu random and %zu real bytes\n", random, seen);
    CHECK(!deep() || random + seen >= 100000000);
}

/* ---- threads ---- */

enum { SHARES = 64 };

typedef struct shared {
    const tdm_bpe *b;
    tdm_str text;
    tdm_tokens t[SHARES];
    bool failed[SHARES];
} shared;

static void encode_shares(void *ctx, size_t chunk, size_t begin, size_t end)
{
    (void)chunk;
    shared *s = ctx;
    for (size_t i = begin; i < end; i++) s->failed[i] = tdm_bpe_encode(s->b, &s->t[i], s->text, NULL) != TDM_OK;
}

/* A vocabulary finds out about its words while it is used: by all threads at once, and all say the same. */
static void threads_share_a_vocabulary(void **state)
{
    (void)state;
    if (!bpe) skip();
    char path[600];
    snprintf(path, sizeof path, "%s/gpt2", folder);
    tdm_bpe *fresh;
    tdm_map m;
    tdm_pool *pool;
    tdm_err e;
    CHECK_OK(tdm_bpe_open(&fresh, path, &e), e);
    snprintf(path, sizeof path, "%s/gpt2/vocab.bpe", folder);
    CHECK_OK(tdm_map_open(&m, path, &e), e);
    CHECK_OK(tdm_pool_open(&pool, 4, &e), e);
    shared s = {.b = fresh, .text = {(const char *)m.p, SAMPLE}};
    CHECK(m.n >= SAMPLE);
    tdm_pool_for(pool, SHARES, 1, encode_shares, &s);
    for (size_t i = 0; i < SHARES; i++) {
        CHECK(!s.failed[i] && s.t[i].n == s.t[0].n && !memcmp(s.t[i].at, s.t[0].at, s.t[0].n * sizeof *s.t[0].at));
        if (i) tdm_free(s.t[i].at);
    }
    tdm_free(s.t[0].at);
    tdm_pool_close(pool);
    tdm_map_close(&m);
    tdm_bpe_close(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_the_expressions),
        cmocka_unit_test(random_texts_encode_as_the_slow_way_says),
        cmocka_unit_test(real_texts_encode_as_the_slow_way_says),
        cmocka_unit_test(bytes_come_back),
        cmocka_unit_test(threads_share_a_vocabulary),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
