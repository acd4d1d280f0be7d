/* SPDX-License-Identifier: Apache-2.0 */
/* inputs.h - the files a dataset is made of, each opened and looked at once. Inside this floor only. */
#ifndef TDM_DATA_INPUTS_H
#define TDM_DATA_INPUTS_H

#include "base/run.h"
#include "data/reader.h"

typedef struct tdm_input {
    tdm_reader reader;
    const char *path, *name; /* name: of the file, and of the member of an archive */
    char *member;            /* of an archive of several; NULL: the file itself */
    bool items, test;        /* items: a list of them, not a log; test: of the test file */
    bool passed_over;        /* neither a log nor a list of items */
    uint64_t size;           /* bytes, packed; 0: unknown */
} tdm_input;

/* All zero is none; tdm_inputs_clear closes all. */
typedef struct tdm_inputs {
    tdm_input *in;
    size_t n, cap;
} tdm_inputs;

/* Names o->sources, o->test and o->items, each file of an archive by itself, opens them all and finds out what they
 * hold. A list of items among the sources is as good as after --items; what is neither (a list of people, a page that
 * says what the others are) is passed over, and said, where there are other files. No log at all is an error. */
tdm_status tdm_inputs_open(tdm_inputs *out, const tdm_options *o, tdm_run *run, tdm_err *err);
void tdm_inputs_clear(tdm_inputs *all);

/* Whether a file is read for the rows' items only: a list of items, or of tags. */
bool tdm_input_of_items(const tdm_input *in);

#endif
