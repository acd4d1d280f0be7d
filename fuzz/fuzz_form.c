/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_form.c - any bytes as a form. What is refused says where in one sentence; what is taken has what the rest of
 * gpt2-words relies on, and is the same when its source is read again. */
#include "gpt2/form.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void must(bool true_of_all)
{
    if (!true_of_all) abort();
}

/* Pieces lie within their part, brackets close in it, texts lie in the form's words. */
static void pieces_hold(const tdm_form *f)
{
    size_t next = 0;
    for (size_t k = 0; k < f->parts; k++) {
        const tdm_form_part *part = &f->part[k];
        must(part->from == next && part->to > part->from && part->kind < TDM_PARTS && part->line);
        next = part->to;
        for (size_t i = part->from; i < part->to; i++) {
            const tdm_form_piece *x = &f->piece[i];
            if (x->kind == TDM_PIECE_MARK) must(x->which < 7);
            if (x->kind == TDM_PIECE_TEXT) must(x->n && x->at + x->n <= f->plain_n);
            if (x->kind == TDM_PIECE_FIELD) must(x->which < TDM_FIELDS);
            if (x->kind == TDM_PIECE_OPEN)
                must(x->n && i + x->n + 1 < part->to && f->piece[i + x->n + 1].kind == TDM_PIECE_CLOSE);
        }
    }
    must(next == f->pieces && f->pieces <= TDM_FORM_PIECES && f->parts <= TDM_FORM_LINES);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static tdm_form f, again; /* large, and all of it is written */
    tdm_err err = {{0}};
    tdm_status st = tdm_form_parse(&f, "form", (tdm_str){(const char *)p, n}, &err);
    if (st) {
        must(st == TDM_E_FORMAT && !strncmp(err.msg, "form:", 5) && !strchr(err.msg, '\n'));
        return 0;
    }
    pieces_hold(&f);
    const tdm_form_part *asked = &f.part[f.asked];
    must(f.piece[0].kind == TDM_PIECE_MARK && f.piece[0].which == 0 && f.part[f.history].kind == TDM_PART_history);
    must(f.history <= f.asked && f.title > asked->from && f.title + 1 < asked->to);
    must(f.piece[f.title].which == TDM_FIELD_title && !f.piece[f.title].blank);
    must(f.piece[f.title - 1].kind == TDM_PIECE_MARK && f.piece[f.title + 1].kind == TDM_PIECE_MARK);
    if (f.kind == TDM_FORM_REVIEW) must((f.summary || f.review) && f.part[f.parts - 1].kind == TDM_PART_answer);
    must(f.source_n == n && !memcmp(f.source, p, n));
    must(!tdm_form_parse(&again, "form", (tdm_str){f.source, f.source_n}, &err) && again.pieces == f.pieces);
    must(!memcmp(f.plain, again.plain, f.plain_n) && !memcmp(f.part, again.part, f.parts * sizeof *f.part));
    return 0;
}
