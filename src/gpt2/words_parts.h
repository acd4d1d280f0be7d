/* SPDX-License-Identifier: Apache-2.0 */
/* words_parts.h - what the files of gpt2-words share. Not for others: they see words.h.
 *
 * A model is its weights, its vocabulary, its forms and the declared parameters; names, the tree of titles and what
 * people wrote about an item are made from the training rows when it is fitted or loaded. */
#ifndef TDM_GPT2_WORDS_PARTS_H
#define TDM_GPT2_WORDS_PARTS_H

#include "base/rng.h"
#include "gpt2/decode.h"
#include "gpt2/form.h"
#include "gpt2/gpt2.h"
#include "gpt2/prompt.h"
#include "gpt2/trie.h"
#include "gpt2/words.h"

/* How long the parts of a prompt may be, in tokens (names) and bytes (texts). */
enum {
    NAME_TOKENS = 24,
    SUMMARY_TOKENS = 20,
    REVIEW_TOKENS = 64,
    SUMMARY_BYTES = 80,
    REVIEW_BYTES = 180,
    NAME_BYTES = 200
};
enum { BECAUSE = 2, OTHERS = 2 };
enum { WORDS_T = 224 }; /* positions that the longest question with its answer needs */

/* What items are called, as tokens: item i's name is token[offset[i] .. offset[i + 1]). Names in words are its title,
 * else its keywords; else the summary that speaks for it stands in; else its id. */
typedef struct tdm_names {
    uint32_t *token;
    int64_t *offset;  /* I + 1 */
    uint32_t *author; /* I: whose summary stands in, or TDM_NONE */
    size_t I;
} tdm_names;

/* Training rows by item: rows at[from[i] .. from[i + 1]) of the dataset, in order, and whose they are. */
typedef struct tdm_readers {
    int64_t *from; /* I + 1 */
    uint32_t *at, *user;
} tdm_readers;

/* Words and neighbours that the training rows know, as sorted hashes. */
typedef struct tdm_lexicon {
    uint64_t *key;
    size_t n;
} tdm_lexicon;

typedef struct tdm_words {
    tdm_model base;
    tdm_params p;
    const tdm_dataset *train;
    tdm_gpt2 *g;
    tdm_gpt2_packed *packed; /* for decoding */
    tdm_bpe *b;
    tdm_marks mark;
    tdm_names names;
    tdm_readers readers;
    tdm_trie trie;
    tdm_lexicon lexicon;
    tdm_forms forms;
    struct tdm_line_size {
        size_t fixed, titles; /* tokens at most without titles, and how many of those there are */
    } line[TDM_FORM_LINES];   /* of the form in use */
    uint32_t *plain;          /* tokens that may stand in a sentence, in order; room for two marks behind them */
    size_t n_plain;
    size_t fresh; /* last rows of the token table that no token of the pretrained vocabulary had */
    tdm_words_choice choice;
    bool writes;    /* the training rows have summaries or reviews */
    bool summaries; /* ... summaries, and an answer begins with one */
    bool reviews;   /* ... reviews, and an answer goes on with a sentence of one */
} tdm_words;

extern const tdm_param tdm_words_params[];

/* ---- the model's parts (words_parts.c) ---- */

/* Fills all that follows from w->b, w->g, w->train, w->forms and w->p but for w->packed, which is made of weights that
 * stay. */
tdm_status tdm_words_complete(tdm_words *w, tdm_err *err);
tdm_status tdm_words_pack(tdm_words *w, tdm_pool *pool, tdm_err *err);
void tdm_words_close(tdm_model *m);

/* The name of an item as text, cleaned into `out`; `not_by`: a person whose summary may not stand in, or TDM_NONE.
 * *author (may be NULL): whose summary it is, or TDM_NONE. */
void tdm_words_name(tdm_buf *out, const tdm_dataset *d, const tdm_readers *r, uint32_t item, uint32_t not_by,
                    uint32_t *author);

tdm_status tdm_readers_make(tdm_readers *r, const tdm_dataset *d, tdm_err *err);
void tdm_readers_clear(tdm_readers *r);

/* ---- words that are there (words_lexicon.c) ---- */

tdm_status tdm_lexicon_make(tdm_lexicon *l, const tdm_dataset *d, tdm_err *err);
void tdm_lexicon_clear(tdm_lexicon *l);
tdm_str tdm_lexicon_word(tdm_str *s); /* the next word, without marks around it; taken from s; empty at the end */
bool tdm_lexicon_knows(const tdm_lexicon *l, tdm_str word);
bool tdm_lexicon_joins(const tdm_lexicon *l, tdm_str left, tdm_str right); /* somebody wrote the two side by side */

/* ---- prompts of a person (words_prompt.c) ---- */

/* What stands before the words to be written. */
typedef struct tdm_question {
    const tdm_history *history; /* its newest items are shown */
    uint32_t item;              /* TDM_NONE: none, the prompt ends where a title begins */
    uint32_t person;            /* whose own summaries are no evidence; TDM_NONE for a stranger */
    float rating;               /* of the item; NaN: none */
    uint32_t because[BECAUSE];
    size_t n_because;
    bool others;                /* show what other people wrote */
    bool good;                  /* ... only those who rated it in the upper half */
    size_t most_history;        /* items of the history shown at most */
    size_t room;                /* tokens of the whole prompt at most */
    float weight, title_weight; /* of the loss of the prompt's tokens, and of the item's name */
} tdm_question;

/* Appends the prompt. `rng` picks among what others wrote. */
tdm_status tdm_words_prompt(tdm_prompt *out, const tdm_words *w, const tdm_question *q, tdm_rng *rng, tdm_err *err);

/* The prompt of a reason; not `person`: without history and because, which is what anybody would be told. */
tdm_status tdm_words_ask(tdm_prompt *out, const tdm_words *w, const tdm_reason *r, bool person, tdm_err *err);

/* ---- documents (words_docs.c, words_batch.c) ---- */

typedef struct tdm_docs {
    tdm_prompt all;  /* one document behind another */
    uint32_t *start; /* n + 1 */
    size_t n, cap;
    size_t longest;
} tdm_docs;

/* Scratch for many lines of a form; all zero at first. */
typedef struct tdm_line_room {
    tdm_buf value, text;
    tdm_tokens token;
} tdm_line_room;
void tdm_line_room_clear(tdm_line_room *r);

/* What makes documents: its scratch, and how their tokens count in the loss. */
typedef struct tdm_docs_maker {
    const tdm_words *w;
    uint64_t seed;
    size_t T;             /* tokens of a document at most */
    float context, title; /* weight of the prompt's tokens, and of the item's name; an answer's have 1 */
    tdm_buf text;
    tdm_tokens scratch;
    tdm_prompt answer; /* the last one made */
    tdm_line_room room;
} tdm_docs_maker;

/* One whose prompts count nothing. */
tdm_docs_maker tdm_docs_maker_of(const tdm_words *w, uint64_t seed);
void tdm_docs_maker_clear(tdm_docs_maker *m);

/* What stands before somebody's review. */
typedef struct tdm_review {
    const tdm_history *history;
    uint32_t person, item;
    float rating;
    uint64_t draw; /* with the seed: which summaries of others are drawn */
} tdm_review;

/* m->answer: the summary and the first sentences of a row of the texts, behind their first mark, which is given and
 * counts nothing; empty where neither says anything. */
tdm_status tdm_docs_answer(tdm_docs_maker *m, uint32_t row, tdm_err *err);

/* Appends the answer of a row alone, or behind a prompt. No document where the answer is empty. */
tdm_status tdm_docs_add_answer(tdm_docs *to, tdm_docs_maker *m, uint32_t row, tdm_err *err);
tdm_status tdm_docs_add_review(tdm_docs *to, tdm_docs_maker *m, const tdm_review *r, uint32_t row, tdm_err *err);

bool tdm_docs_has_text(const tdm_dataset *d, int64_t k); /* row k has a summary or a review */

/* Whether person `u` is one of those, about one in twenty, whose documents are held out. */
bool tdm_docs_held(const tdm_dataset *d, size_t u, uint64_t seed);

/* All training documents: one for each review, or, where there are none, the titles of each person's history. `held`
 * takes those of about one person in twenty, by a hash of the id, for measuring. */
tdm_status tdm_docs_make(tdm_docs *out, tdm_docs *held, const tdm_words *w, tdm_run *run, tdm_err *err);
void tdm_docs_clear(tdm_docs *d);

/* Documents order[at ..] that fit into `most` tokens as a batch in the arrays of `room`; returns how many. */
typedef struct tdm_docs_room {
    uint32_t *token, *target, *start;
    float *weight;
} tdm_docs_room;
tdm_status tdm_docs_room_make(tdm_docs_room *r, size_t most, tdm_err *err);
void tdm_docs_room_clear(tdm_docs_room *r);
size_t tdm_docs_batch(tdm_gpt2_batch *out, const tdm_docs_room *room, const tdm_docs *d, const uint32_t *order,
                      size_t n, size_t most);

/* exp(weighted mean of -log p) of the documents' words, read on the run's pool: the same at any number of threads. */
tdm_status tdm_docs_perplexity(double *out, const tdm_gpt2 *g, const tdm_docs *d, tdm_run *run, tdm_err *err);

/* ---- the beginning (words_begin.c) ---- */

/* Fills w->b and w->g from a GPT-2 folder, or from w->train where `pretrained` is NULL. */
tdm_status tdm_words_begin(tdm_words *w, const char *pretrained, tdm_run *run, tdm_err *err);

/* ---- the rest ---- */

tdm_status tdm_words_fit(tdm_model **out, const tdm_fit_input *in, tdm_err *err);
tdm_status tdm_words_write(const tdm_model *m, char *out, size_t cap, double *logp, const tdm_reason *r, tdm_err *err);
tdm_status tdm_words_topk(const tdm_model *m, const tdm_ranked *out, const tdm_history *h, size_t B,
                          const tdm_wanted *wanted, tdm_err *err);

#endif
