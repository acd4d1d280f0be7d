/* SPDX-License-Identifier: Apache-2.0 */
#include "slow.h"
#include "check.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>
#include <xxhash.h>

enum { ROOM = 1 << 18 };

struct slow {
    tdm_map file;
    tdm_str line[ROOM]; /* a merge by hash of its line */
    uint32_t rank[ROOM];
    pcre2_code *code;
    pcre2_match_data *found;
    tdm_str *symbol;
    size_t cap;
    tdm_buf piece, key;
};

/* White_Space is spelled out, since PCRE2's \s is not quite it. */
#define S "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
static const char expression[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" S "\\p{L}\\p{N}]+|[" S "]+(?![^" S "])|[" S "]+";

static size_t place(const slow *s, tdm_str line)
{
    size_t at = (size_t)XXH3_64bits(line.p, line.n) % ROOM;
    while (s->line[at].n && !tdm_str_eq(s->line[at], line)) at = (at + 1) % ROOM;
    return at;
}

slow *slow_open(const char *merges)
{
    int error;
    PCRE2_SIZE where;
    tdm_err e;
    slow *s = tdm_new(1, sizeof *s);
    CHECK(s != NULL);
    CHECK_OK(tdm_map_open(&s->file, merges, &e), e);
    const char *p = (const char *)s->file.p, *end = p + s->file.n;
    for (uint32_t rank = 0; p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        if (!stop) stop = end;
        tdm_str line = {p, (size_t)(stop - p)};
        p = stop + 1;
        if (!line.n || (line.n > 8 && !memcmp(line.p, "#version", 8))) continue;
        size_t at = place(s, line);
        s->line[at] = line;
        s->rank[at] = rank++;
        CHECK(rank < ROOM / 2);
    }
    s->code = pcre2_compile((PCRE2_SPTR)expression, sizeof expression - 1, PCRE2_UTF | PCRE2_UCP, &error, &where, NULL);
    CHECK(s->code != NULL);
    s->found = pcre2_match_data_create(1, NULL);
    CHECK(s->found != NULL);
    return s;
}

void slow_close(slow *s)
{
    pcre2_match_data_free(s->found);
    pcre2_code_free(s->code);
    tdm_map_close(&s->file);
    tdm_buf_clear(&s->piece);
    tdm_buf_clear(&s->key);
    tdm_free(s->symbol);
    tdm_free(s);
}

/* A byte that is not UTF-8 is a piece by itself, and ends the text before it. */
size_t slow_cut(slow *s, tdm_str text, size_t at)
{
    size_t end = at;
    while (end < text.n) {
        uint32_t c;
        size_t n = tdm_utf8_next((tdm_str){text.p + end, text.n - end}, &c);
        if (c == TDM_UTF8_BAD) {
            if (end == at) return at + 1;
            break;
        }
        end += n;
    }
    int n =
        pcre2_match(s->code, (PCRE2_SPTR)text.p + at, end - at, 0, PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED, s->found, NULL);
    CHECK(n > 0);
    return at + pcre2_get_ovector_pointer(s->found)[1];
}

void slow_write(tdm_buf *out, tdm_str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned b = (uint8_t)bytes.p[i], others = 0;
        for (unsigned c = 0; c < b; c++) others += !((c >= 33 && c <= 126) || (c >= 161 && c <= 172) || c >= 174);
        bool self = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
        tdm_utf8_add(out, self ? b : 256 + others);
    }
}

static uint32_t rank_of(slow *s, tdm_str left, tdm_str right)
{
    tdm_buf_reset(&s->key);
    tdm_buf_add(&s->key, left.p, left.n);
    tdm_buf_char(&s->key, ' ');
    tdm_buf_add(&s->key, right.p, right.n);
    size_t at = place(s, (tdm_str){s->key.p, s->key.n});
    return s->line[at].n ? s->rank[at] : UINT32_MAX;
}

static void encode_piece(slow *s, tdm_buf *out, tdm_str bytes)
{
    tdm_buf_reset(&s->piece);
    slow_write(&s->piece, bytes);
    CHECK(!s->piece.failed && !tdm_grow(&s->symbol, &s->cap, bytes.n, sizeof *s->symbol));
    size_t n = 0;
    for (tdm_str left = {s->piece.p, s->piece.n}; left.n;) {
        uint32_t c;
        size_t k = tdm_utf8_next(left, &c);
        s->symbol[n++] = (tdm_str){left.p, k};
        left = (tdm_str){left.p + k, left.n - k};
    }
    for (;;) {
        uint32_t best = UINT32_MAX;
        for (size_t i = 0; i + 1 < n; i++) {
            uint32_t rank = rank_of(s, s->symbol[i], s->symbol[i + 1]);
            if (rank < best) best = rank;
        }
        if (best == UINT32_MAX) break;
        size_t w = 0; /* wherever it stands, left to right; symbols follow each other in the piece */
        for (size_t i = 0; i < n; i++) {
            tdm_str x = s->symbol[i];
            if (i + 1 < n && rank_of(s, x, s->symbol[i + 1]) == best) x.n += s->symbol[++i].n;
            s->symbol[w++] = x;
        }
        n = w;
    }
    for (size_t i = 0; i < n; i++) {
        tdm_buf_add(out, s->symbol[i].p, s->symbol[i].n);
        tdm_buf_char(out, '\n');
    }
}

void slow_encode(slow *s, tdm_buf *out, tdm_str text)
{
    for (size_t at = 0; at < text.n;) {
        size_t end = slow_cut(s, text, at);
        encode_piece(s, out, (tdm_str){text.p + at, end - at});
        at = end;
    }
    CHECK(!out->failed);
}
