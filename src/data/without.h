/* SPDX-License-Identifier: Apache-2.0 */
/* without.h - a dataset without one person. */
#ifndef TDM_DATA_WITHOUT_H
#define TDM_DATA_WITHOUT_H

#include "data/dataset.h"

/* `d`, a dataset as tdm_dataset_open or tdm_builder_write gives it, without the rows, the texts and the id of person
 * `u`: the dataset that the same log without that person gives, but that every item stays. It shares the items' texts
 * with `d`, which must live as long. */
tdm_status tdm_dataset_without(tdm_dataset **out, const tdm_dataset *d, uint32_t u, tdm_err *err);

#endif
