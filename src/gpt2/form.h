/* SPDX-License-Identifier: Apache-2.0 */
/* form.h - in which form GPT-2 reads a history and an item: a small text file, one line a part (docs/prompts.md).
 *
 *     form:    review
 *     words:   <|endoftext|>                               once, where it stands
 *     history: <|item|>{title}<|end|>[ {rating}]           for each item of the history, oldest first
 *     item:    <|item|>{title}<|end|>[ {rating}]           the item in question
 *     because: <|because|>{title}                          for each history item that led to it
 *     others:  <|others|>{summary}                         for each summary that somebody else wrote about it
 *     answer:  <|summary|>{summary}<|review|>{review}<|endoftext|>
 *
 * A document is its parts without anything between them. A form of histories is words: and a history: line alone, whose
 * next title is what is asked for. Marks are the special tokens of prompt.h, {placeholders} stand for what data say,
 * and what stands in [brackets] is left out where one of its placeholders has no value. A value is text and never
 * looked at again: neither marks nor placeholders in it mean anything. */
#ifndef TDM_GPT2_FORM_H
#define TDM_GPT2_FORM_H

#include "base/bytes.h"
#include "base/status.h"

#include <stdbool.h>

typedef enum tdm_form_kind { TDM_FORM_REVIEW, TDM_FORM_HISTORY, TDM_FORM_KINDS } tdm_form_kind;

/* The parts, by the name that begins their line. */
#define TDM_FORM_PARTS(X) X(words) X(history) X(item) X(because) X(others) X(answer)
typedef enum tdm_form_part_kind {
#define X(name) TDM_PART_##name,
    TDM_FORM_PARTS(X)
#undef X
        TDM_PARTS
} tdm_form_part_kind;

/* Placeholders, and the parts that may have them. */
#define TDM_FORM_FIELDS(X)                                                                                             \
    X(title, 1 << TDM_PART_history | 1 << TDM_PART_item | 1 << TDM_PART_because)                                       \
    X(rating, 1 << TDM_PART_history | 1 << TDM_PART_item | 1 << TDM_PART_others)                                       \
    X(later, 1 << TDM_PART_history)                                                                                    \
    X(brand, 1 << TDM_PART_history | 1 << TDM_PART_item | 1 << TDM_PART_because)                                       \
    X(category, 1 << TDM_PART_history | 1 << TDM_PART_item | 1 << TDM_PART_because)                                    \
    X(summary, 1 << TDM_PART_others | 1 << TDM_PART_answer)                                                            \
    X(review, 1 << TDM_PART_answer)
typedef enum tdm_form_field {
#define X(name, parts) TDM_FIELD_##name,
    TDM_FORM_FIELDS(X)
#undef X
        TDM_FIELDS
} tdm_form_field;

enum { TDM_FORM_BYTES = 4096, TDM_FORM_PIECES = 128, TDM_FORM_LINES = 32 };

/* What a line is made of. */
typedef struct tdm_form_piece {
    enum { TDM_PIECE_MARK, TDM_PIECE_TEXT, TDM_PIECE_FIELD, TDM_PIECE_OPEN, TDM_PIECE_CLOSE } kind;
    unsigned char which; /* MARK: its place in TDM_PROMPT_MARKS; FIELD: a tdm_form_field */
    bool blank;          /* FIELD: a blank stands before the value, and goes with it */
    size_t at, n;        /* TEXT: bytes in `plain`; OPEN: n pieces stand before its CLOSE */
} tdm_form_piece;

typedef struct tdm_form_part {
    tdm_form_part_kind kind;
    size_t from, to; /* pieces */
    size_t line;     /* of the file */
} tdm_form_part;

typedef struct tdm_form {
    tdm_form_kind kind;
    tdm_form_piece piece[TDM_FORM_PIECES];
    tdm_form_part part[TDM_FORM_LINES]; /* in the order of the lines; an answer is the last */
    size_t pieces, parts;
    size_t history;       /* the part that shows it */
    size_t asked, title;  /* the part that holds the title asked for, and the piece that is its place */
    bool summary, review; /* what an answer has */
    char source[TDM_FORM_BYTES], plain[TDM_FORM_BYTES]; /* the file as it was; its words */
    size_t source_n, plain_n;
} tdm_form;

/* Reads a form; nothing is allocated. `where` is what errors call it, with the line. */
tdm_status tdm_form_parse(tdm_form *out, const char *where, tdm_str text, tdm_err *err);

/* The forms that come with the program: src/gpt2/forms, compiled in. */
extern const tdm_str tdm_form_builtin[TDM_FORM_KINDS];

/* ---- both forms of a model ---- */

typedef struct tdm_forms {
    tdm_form of[TDM_FORM_KINDS];
} tdm_forms;

/* The forms that come with the program, and in their places those of n files, each of which says which it is. Two files
 * of one kind are TDM_E_ARG. */
tdm_status tdm_forms_read(tdm_forms *out, const char *const *paths, size_t n, tdm_err *err);

/* review.txt and history.txt of a folder, byte for byte what was read. Where one is missing, the folder is older than
 * forms, and asks in the form that comes with the program. */
tdm_status tdm_forms_load(tdm_forms *out, const char *folder, tdm_err *err);
tdm_status tdm_forms_save(const tdm_forms *f, const char *folder, tdm_err *err);

#endif
