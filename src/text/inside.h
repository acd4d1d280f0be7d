/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what the files of the tokenizer share. Inside this floor only.
 *
 * Tokens are numbered 0 .. n-1. A token is plain (its text is the bytes it stands for), special (its text is its name)
 * or a hole that vocab.json left. Plain text reaches a token only as one byte or as the result of a merge, and neither
 * may be special: that is what keeps a special token out of what people write. */
#ifndef TDM_TEXT_INSIDE_H
#define TDM_TEXT_INSIDE_H

#include "base/json.h"
#include "text/bpe.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { TOKEN_HOLE, TOKEN_PLAIN, TOKEN_SPECIAL };
enum { WHOLE_UNKNOWN, WHOLE_YES, WHOLE_NO };
enum { TOKEN_LIMIT = 1 << 22, TOKEN_NAME_LIMIT = 256 };

typedef struct token {
    uint32_t at, n; /* its bytes in tdm_bpe.text */
    uint8_t kind;
    _Atomic uint8_t whole; /* does its own text encode to it? Found out when it is first met */
} token;

typedef struct merge {
    uint32_t left, right, result;
} merge; /* its place is its rank */

/* GPT-2's expression, compiled. */
typedef struct cutter {
    pcre2_general_context *memory;
    pcre2_code *code;
} cutter;

enum { KEPT = 3 }; /* files of a folder that are kept as they are */

struct tdm_bpe {
    token *token;
    size_t n, token_cap;
    size_t base; /* tokens of vocab.json; those behind them are added ones */
    tdm_buf text;
    uint32_t *by_text; /* token + 1, or 0, by hash of its text; room is a power of two */
    size_t by_text_room;
    merge *merge;
    size_t merges, merge_cap;
    uint32_t *by_pair; /* rank + 1, or 0 */
    size_t by_pair_room;
    uint32_t byte[256]; /* the token of one byte, or UINT32_MAX */
    cutter cut;
    char *kept[KEPT]; /* NULL: there was none */
    size_t opened;    /* tokens that a folder had; 0: learned */
};

/* ---- vocabulary (vocabulary.c) ---- */

tdm_bpe *bpe_new(tdm_err *err);
tdm_str bpe_text(const tdm_bpe *b, uint32_t t);
uint32_t bpe_find(const tdm_bpe *b, tdm_str text); /* plain or special; UINT32_MAX: none */
/* Makes token number `t` (holes are made below it); the text or the number being taken is the caller's to have checked.
 */
tdm_status bpe_put(tdm_bpe *b, uint32_t t, int kind, tdm_str text, tdm_err *err);
/* Adds the next merge; a pair that has one, or a result that is special, is our caller's to have checked. */
tdm_status bpe_merge(tdm_bpe *b, merge m, tdm_err *err);
uint32_t bpe_rank(const tdm_bpe *b, uint32_t left, uint32_t right); /* UINT32_MAX: the pair does not merge */

/* The 256 bytes as GPT-2 writes them in its files: printable ones as themselves, the others as U+0100 and up. */
uint32_t alphabet_of(uint8_t byte);
int alphabet_byte(uint32_t c); /* -1: not of the alphabet */
void alphabet_write(tdm_buf *out, tdm_str bytes);
bool alphabet_read(tdm_buf *out, tdm_str text); /* false: holds something that is not of the alphabet */

/* ---- files (files.c, tokenizer_json.c) ---- */

extern const char *const bpe_kept_name[KEPT];

/* Puts the members of a JSON object of numbers; `kind` plain: names are in the byte alphabet where they can be. `path`
 * is what errors name. */
tdm_status bpe_put_object(tdm_bpe *b, const cJSON *o, const char *path, int kind, tdm_err *err);

/* Adds the merge of two words in the byte alphabet; `bytes` and `both` are scratch, `number` what errors name. */
tdm_status bpe_merge_words(tdm_bpe *b, tdm_str left, tdm_str right, tdm_buf *bytes, tdm_buf *both, const char *path,
                           size_t number, tdm_err *err);
void bpe_merge_halves(tdm_str line, tdm_str *left, tdm_str *right); /* "left right" */

/* A string, or an object with its "content", becomes special where it is a token. */
tdm_status bpe_mark_special(tdm_bpe *b, const cJSON *v, const char *path, tdm_err *err);

tdm_status bpe_read_json(tdm_bpe *b, const char *path, tdm_err *err); /* all of tokenizer.json */

/* ---- cutting (cut.c) ---- */

tdm_status cutter_init(cutter *c, tdm_err *err);
void cutter_clear(cutter *c);

/* Calls f for the pieces of `text`, in order and without gaps, until f fails. */
typedef tdm_status piece_fn(void *ctx, tdm_str piece, tdm_err *err);
tdm_status cutter_run(const cutter *c, tdm_str text, piece_fn *f, void *ctx, tdm_err *err);

#endif
