/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h - what the files of a folder share: names, and config.json. Inside this floor only. */
#ifndef TDM_GPT2_FOLDER_H
#define TDM_GPT2_FOLDER_H

#include "gpt2/gpt2.h"

/* ---- names (names.c) ---- */

enum { TDM_NAME = 96, TDM_NAMES = 16 };

typedef struct tdm_gpt2_entry {
    const char *form;     /* of the published name; "%zu" is the layer */
    float *at;            /* in the block */
    size_t rows, columns; /* columns 0: one dimension */
    size_t layers;        /* 0: stands once */
} tdm_gpt2_entry;

size_t tdm_gpt2_entries(tdm_gpt2_entry out[TDM_NAMES], const tdm_gpt2 *g);
static inline size_t tdm_gpt2_entry_size(const tdm_gpt2_entry *e) { return e->rows * (e->columns ? e->columns : 1); }

/* "<prefix><form>", the layer's number filled in. */
void tdm_gpt2_name(char out[TDM_NAME], const char *prefix, const char *form, size_t layer);

/* ---- config.json (config.c) ---- */

/* The shape, and the whole of it as it was read (the caller's). */
tdm_status tdm_gpt2_config_read(tdm_gpt2_shape *s, struct cJSON **config, const char *folder, tdm_err *err);
tdm_status tdm_gpt2_config_write(const tdm_gpt2 *g, const char *folder, tdm_err *err);

#endif
