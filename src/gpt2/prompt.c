/* SPDX-License-Identifier: Apache-2.0 */
#include "gpt2/prompt.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

const char *const tdm_prompt_special[] = {
#define X(name, token) token,
    TDM_PROMPT_MARKS(X)
#undef X
        NULL,
};

tdm_status tdm_marks_find(tdm_marks *m, const tdm_bpe *b, tdm_err *err)
{
#define X(name, token)                                                                                                 \
    m->name = tdm_bpe_special(b, token);                                                                               \
    if (m->name == UINT32_MAX) return tdm_fail(err, TDM_E_FORMAT, "the vocabulary has no special token %s", token);
    TDM_PROMPT_MARKS(X)
#undef X
    return TDM_OK;
}

uint32_t tdm_marks_at(const tdm_marks *m, size_t place)
{
    const uint32_t mark[] = {
#define X(name, token) m->name,
        TDM_PROMPT_MARKS(X)
#undef X
    };
    return mark[place];
}

/* ---- putting together ---- */

void tdm_prompt_clear(tdm_prompt *p)
{
    tdm_free(p->token.at);
    tdm_free(p->weight);
    *p = (tdm_prompt){0};
}

void tdm_prompt_add(tdm_prompt *p, const uint32_t *token, size_t n, float weight)
{
    tdm_tokens *t = &p->token;
    if (!n || p->failed) return;
    if (tdm_grow(&t->at, &t->cap, t->n + n, sizeof *t->at) ||
        tdm_grow(&p->weight, &p->weight_cap, t->n + n, sizeof *p->weight)) {
        p->failed = true;
        return;
    }
    memcpy(t->at + t->n, token, n * sizeof *token);
    for (size_t i = 0; i < n; i++) p->weight[t->n + i] = weight;
    t->n += n;
}

void tdm_prompt_mark(tdm_prompt *p, uint32_t mark, float weight) { tdm_prompt_add(p, &mark, 1, weight); }

void tdm_prompt_join(tdm_prompt *p, const tdm_prompt *more)
{
    for (size_t i = 0; i < more->token.n; i++) tdm_prompt_add(p, &more->token.at[i], 1, more->weight[i]);
    p->failed |= more->failed;
}

tdm_status tdm_prompt_encode(tdm_tokens *out, const tdm_bpe *b, tdm_str text, size_t most, tdm_err *err)
{
    out->n = 0;
    tdm_status st = tdm_bpe_encode(b, out, text, err);
    if (out->n > most) out->n = most;
    return st;
}

/* ---- text ---- */

static bool blank(uint32_t c)
{
    return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0x1680 || (c >= 0x2000 && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202f) || c == 0x205f || c == 0x2060 || c == 0x3000 || c == 0xfeff;
}

void tdm_prompt_clean(tdm_buf *out, tdm_str text, size_t most)
{
    size_t word = 0; /* where the last whole word ends */
    bool gap = false;
    tdm_buf_reset(out);
    while (text.n) {
        uint32_t c;
        size_t n = tdm_utf8_next(text, &c);
        bool skip = c == TDM_UTF8_BAD || blank(c);
        if (skip && out->n) {
            gap = true;
            word = out->n;
        }
        if (!skip && out->n + gap + n > most) {
            if (word) out->n = word; /* a single word without end is cut where it is */
            break;
        }
        if (!skip) {
            if (gap) tdm_buf_char(out, ' ');
            tdm_buf_add(out, text.p, n);
            gap = false;
        }
        text.p += n;
        text.n -= n;
    }
}

/* How many bytes at `at` end a sentence: a mark with the quotes and brackets behind it, then a blank or the end. */
static size_t ending(tdm_str text, size_t at)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    size_t n = 0;
    while (at + n < text.n) {
        char c = text.p[at + n];
        if (c == '.' || c == '!' || c == '?') n++;
        else if (text.n - at - n >= 3 && memcmp(text.p + at + n, ellipsis, 3) == 0) n += 3;
        else break;
    }
    if (!n) return 0;
    while (at + n < text.n && (text.p[at + n] == '"' || text.p[at + n] == '\'' || text.p[at + n] == ')')) n++;
    return at + n == text.n || text.p[at + n] == ' ' ? n : 0;
}

tdm_str tdm_prompt_sentences(tdm_str text, size_t most)
{
    enum { SHORT = 40 };
    size_t good = 0;
    for (size_t i = 0; i < text.n && i < most; i++) {
        size_t n = ending(text, i);
        if (!n) continue;
        if (i + n > most) break;
        bool second = good > 0;
        good = i + n;
        if (second || good >= SHORT) break;
        i += n;
    }
    return (tdm_str){text.p, good};
}

bool tdm_prompt_ends(tdm_str text)
{
    for (size_t i = text.n > 8 ? text.n - 8 : 0; i < text.n; i++)
        if (ending(text, i) == text.n - i) return true;
    return false;
}

/* ---- ratings ---- */

const char *const tdm_rating_words[TDM_RATING_WORDS] = {" hated", " disliked", " okay", " liked", " loved"};

int tdm_rating_word(float rating, float low, float high)
{
    if (!isfinite(rating) || !(high > low)) return -1;
    double part = ((double)rating - (double)low) / ((double)high - (double)low);
    int word = (int)floor(part * (TDM_RATING_WORDS - 1) + 0.5);
    return word < 0 ? 0 : word >= TDM_RATING_WORDS ? TDM_RATING_WORDS - 1 : word;
}
