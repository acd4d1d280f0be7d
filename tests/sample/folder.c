/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[] = "/tmp/tandem-sample-XXXXXX";

int scratch_open(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int one_gone(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

int scratch_close(void **state)
{
    (void)state;
    return nftw(folder, one_gone, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch(const char *name)
{
    static char path[4][160];
    static int turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", folder, name);
    return p;
}
