/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - the words of tdm_options as values: the protocol, the presets, the parameters of each model. */
#ifndef TDM_API_SETTINGS_H
#define TDM_API_SETTINGS_H

#include "base/json.h"
#include "data/split.h"
#include "model/model.h"

/* The protocol that `o` asks for on data with or without times. Where no split is named: time, or leave-one-out on data
 * without times. */
tdm_status tdm_protocol_parse(tdm_protocol *p, const tdm_options *o, bool has_times, uint64_t seed, tdm_err *err);

cJSON *tdm_protocol_json(const tdm_protocol *p);
tdm_status tdm_protocol_read(tdm_protocol *p, const cJSON *json, const char *path, tdm_err *err);

/* Words for reports. */
const char *tdm_ties_name(tdm_ties t);
const char *tdm_seen_name(tdm_seen s);

/* Values of a model's parameters: declared defaults, then the preset, then what --set says for this model. */
tdm_status tdm_settings_params(tdm_params *out, const tdm_model_ops *ops, const tdm_options *o, tdm_err *err);

/* The values that a manifest has for a model. */
tdm_status tdm_settings_stored(tdm_params *out, const cJSON *manifest, const tdm_model_ops *ops, tdm_err *err);

/* Whether every word of `o` means something: preset, models, parameters, protocol, cutoffs. For before the work begins,
 * so that a slip in what is needed last does not cost the hours before it. What needs the data is checked later. */
tdm_status tdm_settings_check(const tdm_options *o, tdm_err *err);

#endif
