/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TANDEM_PTIME_H
#define TANDEM_PTIME_H

#include <pjmedia.h>

/* Puts into ptime, in a description that was received, what PJMEDIA shall send. */
void ptime_limit(pj_pool_t *pool, pjmedia_sdp_media *media);

#endif
