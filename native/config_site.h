/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * pjproject compiled for a switchboard: many calls, one thread for SIP, lowest CPU per call. Every line that differs
 * from upstream's default says why. The build copies this file to pjlib/include/pj/config_site.h. */

/* --- size -------------------------------------------------------------------------------------------------- */

#define PJSUA_MAX_CALLS 8192                 /* legs: 4,096 bridged calls, 6 kB a slot in use by maxCalls; default 4 */
#define PJSUA_MAX_ACC 256                    /* one account per listener and SRTP profile; default 8 */
#define PJSUA_MAX_PLAYERS 1024               /* prompts and music playing at one time; default 32 */
#define PJSUA_MAX_RECORDERS 1024             /* default 32 */
#define PJSUA_MAX_CONF_PORTS 10240           /* a port per leg, player, recorder and tap; default 254 */
#define PJMEDIA_MAX_SDP_MEDIA 4              /* m= lines read, the gate refuses more; 1.3 kB each in every call slot */
#define PJ_IOQUEUE_MAX_HANDLES 20000         /* RTP and RTCP socket of every leg, and some; default 1024 */
#define PJSIP_MAX_TRANSPORTS 4096            /* SIP connections; default is the line above, prepaid per socket */
#define PJSIP_MAX_TSX_COUNT (32 * 1024 - 1)  /* hash size, not a limit: 300 calls/s leave 30,000 behind in 32 s */
#define PJSIP_MAX_DIALOG_COUNT (16 * 1024 - 1)
#define PJSIP_MAX_TIMED_OUT_ENTRIES 64       /* timers per poll; the default of 10 falls behind at 300 calls/s */

/* --- messages ---------------------------------------------------------------------------------------------- */

/* The longest SIP message either way. ISUP bodies, long History-Info and STIR Identity headers pass the default of
 * 4000. Each finished transaction holds a buffer of this size, but only the pages written cost memory (spare.c). */
#define PJSIP_MAX_PKT_LEN 16000
#define PJSIP_POOL_INC_TDATA 1004            /* 16 steps are just that and a block's head (spare.c); default 4000 */
#define PJSIP_MAX_URL_SIZE 1024              /* URIs with parameters and headers; default 256 */
#define PJSIP_DONT_SWITCH_TO_TCP 1           /* a peer configured for UDP gets UDP, whatever the size (fragments) */
#define PJSIP_DONT_SWITCH_TO_TLS 1           /* a sips: URI does not override the transport of the trunk */
#define PJ_HAS_IPV6 1                        /* default 0: IPv6 accounts are refused with PJ_EINVAL, no word why */
#define PJSIP_UDP_SO_RCVBUF_SIZE (4 * 1024 * 1024) /* bursts and fragments while the loop is busy; kernel may cap it */
#define PJSIP_UDP_SO_SNDBUF_SIZE (4 * 1024 * 1024)
#define PJSIP_ACCEPT_MULTIPLE_SDP_ANSWERS 1  /* 183 with SDP A, then 200 with SDP B: trunks do it (RFC 6337 3.1.1) */
#define PJSIP_FOLLOW_EARLY_MEDIA_FORK 1      /* the same with another To tag: the latest answer is heard */

/* --- timers ------------------------------------------------------------------------------------------------ */

/* PJSIP takes timers B, F, H, J from this one value, so it must be 64*T1 (RFC 3261 17): with 10 s a call that rings at
 * a slow peer ends early, a lost ACK ends a call, and late retransmissions of a BYE or INFO meet a 481 or are executed
 * again. The price: a finished bridged call holds about 55 kB (measured) for 32 s instead of 10, which is memory for a
 * plateau, not for growth: 300 calls/s end at 530 MB instead of 165. */
#define PJSIP_TD_TIMEOUT 32000

/* --- speed ------------------------------------------------------------------------------------------------- */

#ifndef TANDEM_ASSERTS
#define PJ_LOG_MAX_LEVEL 4                   /* level 5 traces every function: not even compiled in; 4 shows messages */
#endif
#define PJ_LOG_ENABLE_INDENT 0               /* indenting costs a thread-local look-up per function, logging or not */
#define PJSIP_SAFE_MODULE 0                  /* modules are registered at the start only: no lock per message */
#define PJ_SCANNER_USE_BITWISE 1             /* table of bits instead of bytes: fits the cache */
#define PJSIP_HANDLE_EVENTS_HAS_SLEEP_ON_ERR 0 /* never sleep on the loop */

/* --- media ------------------------------------------------------------------------------------------------- */

#define PJMEDIA_HAS_VIDEO 0
#define PJMEDIA_SRTP_HAS_DTLS 1              /* off, a call that must be DTLS-SRTP goes out in clear without a word */
#define PJMEDIA_STREAM_INC 1000              /* steps of a stream; default 4000: 3 kB a leg for nothing */
#define PJMEDIA_RTCP_FB_MAX_CAP 4            /* nobody asks for feedback on sound; 112 octets each a leg; default 16 */
#define PJMEDIA_SOUND_BUFFER_COUNT 4         /* no sound card here: keep the buffers of the null device small */
#define PJMEDIA_CONF_THREADS 1                /* the bridge that tells "no sound" from zeros (native/gap.c); one thread */
#define PJMEDIA_G722_DEFAULT_PCM_SHIFT 1     /* the level of everybody else's G.722; the default of 2 sends 6 dB too low */
#define PJMEDIA_G722_STOP_PCM_SHIFT_ON_CLIPPING 0 /* a loud word is clipped, and does not change the level for good */
#define PJMEDIA_FILE_PORT_BUFSIZE 16000      /* 1 s of prompt per read; default 4000 */

/* The transport never changes by itself where it sends: that is for native/source.c, which knows who may be the far
 * end. Upstream follows whoever sends first, or ten packets in a row, and for RTCP whoever sends three. */
#define PJMEDIA_TRANSPORT_SWITCH_REMOTE_ADDR 0
