/* SPDX-License-Identifier: Apache-2.0 */
/* speaker.h - whose sentence stands beside a recommendation: GPT-2's, a reviewer's or the plain one.
 *
 * Unless somebody asks for one, it is the one that did better by rouge@l beside what validation people wrote
 * themselves, which training finds out at its end and keeps in gpt2-words/words.json. */
#ifndef TDM_API_SPEAKER_H
#define TDM_API_SPEAKER_H

#include "api/bundle.h"
#include "hybrid/explain.h"

/* The model of the folder that writes sentences; NULL: none was trained. */
const tdm_model *tdm_bundle_writer(const tdm_bundle *b);

/* The speaker that `word` names ("gpt2", "review", "evidence"), or, where it is NULL, the folder's own. */
tdm_status tdm_speaker_of(tdm_speaker *out, const tdm_bundle *b, const char *word, tdm_err *err);

/* What tdm_explain says, to be given to tdm_free. */
tdm_status tdm_speaker_say(char **text, const tdm_explain_input *in, tdm_err *err);

/* At the end of training: judges both on up to 100 validation people and writes what was found into the writer's folder
 * at `path`; `before`: the same folder of the fit whose choices are fitted again, whose choice is taken over, or NULL.
 * `of`: a number of all that the judgment depends on; where the writer keeps a choice of the same nothing is done. So
 * it is where there is no writer, or the parameter `sentence` leaves nothing to choose. */
tdm_status tdm_speaker_choose(tdm_bundle *b, const char *path, const char *before, uint64_t of, tdm_run *run,
                              tdm_err *err);

#endif
