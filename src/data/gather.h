/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - from interactions with parts to training rows and questions. Inside this floor only. */
#ifndef TDM_DATA_GATHER_H
#define TDM_DATA_GATHER_H

#include "data/split.h"

typedef struct tdm_event {
    uint32_t item;
    float rating;
    int64_t time;
    uint32_t at; /* place in the dataset */
} tdm_event;

typedef struct tdm_gather tdm_gather;

/* `order` (places in the dataset, person by person) and `part` (by place) are borrowed. */
tdm_status tdm_gather_open(tdm_gather **out, const tdm_dataset *d, const tdm_protocol *p, const uint32_t *order,
                           const uint8_t *part, tdm_err *err);
void tdm_gather_close(tdm_gather *g);

/* Person u's rows of the parts in the bit set `parts`, in order, repeated pairs resolved among them. Returns how many.
 */
size_t tdm_gather_events(const tdm_gather *g, tdm_event *out, uint32_t u, unsigned parts);

/* A question for every person with rows in `part`: those are the answers, rows of `before` are the history. */
tdm_status tdm_gather_questions(const tdm_gather *g, tdm_questions *out, unsigned part, unsigned before, tdm_err *err);

#endif
