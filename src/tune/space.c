/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double held(double v, double low, double high) { return v < low ? low : v > high ? high : v; }

tdm_space tdm_space_of(const tdm_param *table)
{
    tdm_space s = {.table = table};
    for (size_t p = 0; table && table[p].name; p++)
        if (table[p].search.to > table[p].search.from) s.at[s.D++] = (unsigned char)p;
    return s;
}

/* The number on the axis on which the parameter is even. */
static double even(const tdm_param *p, double v) { return p->scale == TDM_LOG ? log(v) : v; }

static double to_unit(const tdm_param *p, double v)
{
    double low = even(p, p->search.from), high = even(p, p->search.to);
    return (even(p, held(v, p->search.from, p->search.to)) - low) / (high - low);
}

/* Four digits are as near as a search can tell, and can be read and typed. */
static double rounded(double v)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.4g", v);
    return strtod(digits, NULL);
}

static double from_unit(const tdm_param *p, double x)
{
    double low = even(p, p->search.from), high = even(p, p->search.to), v = low + held(x, 0, 1) * (high - low);
    if (p->scale == TDM_LOG) v = exp(v);
    if (p->search.step > 0) v = p->search.from + round((v - p->search.from) / p->search.step) * p->search.step;
    v = p->scale == TDM_INTEGER ? round(v) : rounded(v);
    return held(v, p->search.from, p->search.to);
}

void tdm_space_point(double *x, const tdm_space *s, const tdm_params *p)
{
    for (size_t d = 0; d < s->D; d++) x[d] = to_unit(&s->table[s->at[d]], p->value[s->at[d]]);
}

void tdm_space_settings(tdm_params *p, const tdm_space *s, const double *x)
{
    for (size_t d = 0; d < s->D; d++) p->value[s->at[d]] = from_unit(&s->table[s->at[d]], x[d]);
}

void tdm_space_snap(double *x, const tdm_space *s)
{
    for (size_t d = 0; d < s->D; d++) {
        const tdm_param *p = &s->table[s->at[d]];
        x[d] = to_unit(p, from_unit(p, x[d]));
    }
}
