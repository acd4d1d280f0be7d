/* SPDX-License-Identifier: Apache-2.0 */
/* topics.h - what the sample's catalogue is made of: tables of words, invented for it.
 *
 * A topic crosses the three domains: a film, an article and a coffee mill can all be about coffee, and their words say
 * so. Things that come in an order stand in it: a kit is a thing and what one buys for it afterwards, films and
 * articles have parts. */
#ifndef TDM_SAMPLE_TOPICS_H
#define TDM_SAMPLE_TOPICS_H

enum { TOPICS = 12, KITS = 4, PARTS = 3, MAKERS = 3, STORIES = 3 * PARTS, SCENES = 5 };

typedef struct tdm_topic {
    const char *name, *love;      /* "Coffee"; what somebody who likes it likes: "good coffee" */
    const char *department;       /* where its products are sold */
    const char *maker[MAKERS];    /* of products */
    const char *kit[KITS][PARTS]; /* a thing, then what is bought for it */
    const char *genre;            /* of its films */
    const char *film[STORIES];    /* two stories of three parts, then three that stand alone */
    const char *article[STORIES]; /* likewise */
    const char *scene[SCENES];    /* what its films and articles are about, and its products are for */
} tdm_topic;

extern const tdm_topic tdm_topics[TOPICS];

#endif
