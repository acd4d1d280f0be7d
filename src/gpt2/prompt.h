/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.h - the marks of the documents that GPT-2 reads and writes, documents being put together, and the words they are
 * made of. In which order all of it stands is a form's (form.h, docs/prompts.md). Text can never say a mark, so nothing
 * that people write can break a form. */
#ifndef TDM_GPT2_PROMPT_H
#define TDM_GPT2_PROMPT_H

#include "text/bpe.h"

/* name in C, name in the vocabulary */
#define TDM_PROMPT_MARKS(X)                                                                                            \
    X(text, "<|endoftext|>")                                                                                           \
    X(item, "<|item|>")                                                                                                \
    X(end, "<|end|>")                                                                                                  \
    X(because, "<|because|>")                                                                                          \
    X(others, "<|others|>")                                                                                            \
    X(summary, "<|summary|>")                                                                                          \
    X(review, "<|review|>")

typedef struct tdm_marks {
#define X(name, token) uint32_t name;
    TDM_PROMPT_MARKS(X)
#undef X
} tdm_marks;

extern const char *const tdm_prompt_special[]; /* the marks' names, NULL at the end: for tdm_bpe_learn */

/* The marks' numbers; TDM_E_FORMAT where the vocabulary lacks one. */
tdm_status tdm_marks_find(tdm_marks *m, const tdm_bpe *b, tdm_err *err);
uint32_t tdm_marks_at(const tdm_marks *m, size_t place); /* by its place in the list */

/* A text being put together: tokens, and how much each one's loss counts when it is to be foretold. */
typedef struct tdm_prompt {
    tdm_tokens token;
    float *weight;
    size_t weight_cap;
    bool failed; /* memory was short: checked once, at the end */
} tdm_prompt;

void tdm_prompt_clear(tdm_prompt *p);
void tdm_prompt_add(tdm_prompt *p, const uint32_t *token, size_t n, float weight);
void tdm_prompt_mark(tdm_prompt *p, uint32_t mark, float weight);
void tdm_prompt_join(tdm_prompt *p, const tdm_prompt *more); /* appends all of it */

/* Encodes plain text into `out` (emptied first); at most `most` tokens are kept. */
tdm_status tdm_prompt_encode(tdm_tokens *out, const tdm_bpe *b, tdm_str text, size_t most, tdm_err *err);

/* `out` (emptied first) is `text` in one line: valid UTF-8, white space and control characters as single blanks, none
 * at the ends, at most `most` bytes, cut behind a word where it can be. */
void tdm_prompt_clean(tdm_buf *out, tdm_str text, size_t most);

/* The first sentences of clean text that end within `most` bytes: one, and a second where the first is short. Empty
 * where the first is too long. */
tdm_str tdm_prompt_sentences(tdm_str text, size_t most);

/* Whether `text` ends as a sentence does: . ! ? or …, quotes and brackets behind them aside. */
bool tdm_prompt_ends(tdm_str text);

/* " loved", " liked", " okay", " disliked", " hated": the rating's fifth of the scale, or NULL where there is none. */
enum { TDM_RATING_WORDS = 5 };
extern const char *const tdm_rating_words[TDM_RATING_WORDS];
int tdm_rating_word(float rating, float low, float high); /* 0 .. 4, or -1 */

#endif
