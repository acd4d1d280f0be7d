/* SPDX-License-Identifier: Apache-2.0 */
/* names.c - what the tensors of a GPT-2 are called in published folders.
 *
 * Layer l's are "transformer.h.<l>.attn.c_attn.weight" and so on; the bare model leaves "transformer." out. */
#include "gpt2/folder.h"

#include <stdio.h>
#include <string.h>

/* our name, theirs, rows and columns (columns 0: one dimension) */
#define NAMES(X)                                                                                                       \
    X(wte, "wte.weight", s.V, s.C)                                                                                     \
    X(wpe, "wpe.weight", s.T, s.C)                                                                                     \
    X(ln1w, "h.%zu.ln_1.weight", s.C, 0)                                                                               \
    X(ln1b, "h.%zu.ln_1.bias", s.C, 0)                                                                                 \
    X(qkvw, "h.%zu.attn.c_attn.weight", s.C, 3 * s.C)                                                                  \
    X(qkvb, "h.%zu.attn.c_attn.bias", 3 * s.C, 0)                                                                      \
    X(attw, "h.%zu.attn.c_proj.weight", s.C, s.C)                                                                      \
    X(attb, "h.%zu.attn.c_proj.bias", s.C, 0)                                                                          \
    X(ln2w, "h.%zu.ln_2.weight", s.C, 0)                                                                               \
    X(ln2b, "h.%zu.ln_2.bias", s.C, 0)                                                                                 \
    X(fcw, "h.%zu.mlp.c_fc.weight", s.C, 4 * s.C)                                                                      \
    X(fcb, "h.%zu.mlp.c_fc.bias", 4 * s.C, 0)                                                                          \
    X(projw, "h.%zu.mlp.c_proj.weight", 4 * s.C, s.C)                                                                  \
    X(projb, "h.%zu.mlp.c_proj.bias", s.C, 0)                                                                          \
    X(lnfw, "ln_f.weight", s.C, 0)                                                                                     \
    X(lnfb, "ln_f.bias", s.C, 0)

size_t tdm_gpt2_entries(tdm_gpt2_entry out[TDM_NAMES], const tdm_gpt2 *g)
{
    const tdm_gpt2_shape s = g->s;
    size_t n = 0;
#define X(name, form, rows, columns)                                                                                   \
    out[n++] = (tdm_gpt2_entry){form, g->w.name, rows, columns, strchr(form, '%') ? s.L : 0};
    NAMES(X)
#undef X
    return n;
}

void tdm_gpt2_name(char out[TDM_NAME], const char *prefix, const char *form, size_t layer)
{
    const char *mark = strstr(form, "%zu");
    if (!mark) snprintf(out, TDM_NAME, "%s%s", prefix, form);
    else snprintf(out, TDM_NAME, "%s%.*s%zu%s", prefix, (int)(mark - form), form, layer, mark + 3);
}
