/* SPDX-License-Identifier: Apache-2.0 */
/* space.h - the declared parameters that a search looks through, as a unit cube.
 *
 * A side of the cube is one parameter: 0 is its `from` and 1 its `to`, evenly on its scale (log for TDM_LOG). */
#ifndef TDM_TUNE_SPACE_H
#define TDM_TUNE_SPACE_H

#include "model/params.h"

typedef struct tdm_space {
    const tdm_param *table;
    size_t D;                         /* sides; 0: nothing is declared to be searched */
    unsigned char at[TDM_MAX_PARAMS]; /* D: which parameter of the table */
} tdm_space;

/* `table` may be NULL: no sides. */
tdm_space tdm_space_of(const tdm_param *table);

/* Where settings lie, x[D]; what lies outside the cube is at its nearest side. */
void tdm_space_point(double *x, const tdm_space *s, const tdm_params *p);

/* Sets the parameters of the space to what lies at x[D], rounded to whole numbers, to steps or to four digits. All else
 * stays. */
void tdm_space_settings(tdm_params *p, const tdm_space *s, const double *x);

/* Moves x[D] to where the settings that it stands for lie. */
void tdm_space_snap(double *x, const tdm_space *s);

#endif
