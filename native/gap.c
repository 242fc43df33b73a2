/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A far end that sends nothing is not to be heard as silence: without this the conference decodes, mixes, encodes and
 * sends 50 packets of zeros a second to whoever listens to it, for every call on hold, in early media or with DTX.
 * A relay would not either. The stream's own port is kept; only its get_frame and put_frame are asked through ours
 * (pjmedia/port.h, a public interface). What was counted is in ldata, which streams leave to others. */
#include "internal.h"
#include "tandem.h"

#define FADE_FRAMES 10 /* 200 ms: loss concealment has faded out by then, and so has what we send */
#define LOOK_FRAMES 10 /* 200 ms between two looks at a stream whose buffer stays empty */
#define KEEP_FRAMES 50 /* a packet of silence a second keeps the path open */
#define KEY_FRAMES 60  /* how long one dialled key may need, with the pause behind it */

static pj_status_t (*stream_get_frame)(pjmedia_port *port, pjmedia_frame *frame);
static pj_status_t (*stream_put_frame)(pjmedia_port *port, pjmedia_frame *frame);

#define HELD 0x8000L /* the leg is joined with another past the conference: its stream neither hears nor says anything */

/* Low half: frames since the jitter buffer ran empty, and HELD. High half, signed: frames since there was something to
 * send; negative while keys are dialled. */
static unsigned empty_of(const pjmedia_port *port)
{
    return (unsigned)port->port_data.ldata & 0x7fff;
}

static long idle_of(const pjmedia_port *port)
{
    return port->port_data.ldata >> 16;
}

static pj_bool_t is_held(const pjmedia_port *port)
{
    return (__atomic_load_n(&port->port_data.ldata, __ATOMIC_RELAXED) & HELD) != 0;
}

/* HELD is another thread's to change. */
static void keep(pjmedia_port *port, unsigned empty, long idle)
{
    long before = __atomic_load_n(&port->port_data.ldata, __ATOMIC_RELAXED), now;

    do
        now = idle * 0x10000 + (long)empty + (before & HELD);
    while (!__atomic_compare_exchange_n(&port->port_data.ldata, &before, now, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

/* Both on the conference's clock thread. */
static pj_status_t get_frame(pjmedia_port *port, pjmedia_frame *frame)
{
    pjmedia_jb_state buffer;
    unsigned empty = empty_of(port);

    if (is_held(port)) {
        frame->type = PJMEDIA_FRAME_TYPE_NONE;
        frame->size = 0;
        return PJ_SUCCESS;
    }
    if (pjmedia_stream_get_stat_jbuf(port->port_data.pdata, &buffer) == PJ_SUCCESS && buffer.size == 0) {
        keep(port, empty < FADE_FRAMES + LOOK_FRAMES ? empty + 1 : FADE_FRAMES + 1, idle_of(port));
        if (empty >= FADE_FRAMES) {
            /* The stream is asked now and then all the same, so that whatever keeps its buffer empty comes to an end. */
            if (empty == FADE_FRAMES + LOOK_FRAMES)
                stream_get_frame(port, frame);
            frame->type = PJMEDIA_FRAME_TYPE_NONE;
            frame->size = 0;
            return PJ_SUCCESS;
        }
    } else if (empty) {
        keep(port, 0, idle_of(port));
    }
    return stream_get_frame(port, frame);
}

/* A paused encoder sends nothing but goes on counting RTP time and sending RTCP reports. */
static void quiet(pjmedia_port *port, pj_bool_t on)
{
    if (on)
        pjmedia_stream_pause(port->port_data.pdata, PJMEDIA_DIR_ENCODING);
    else
        pjmedia_stream_resume(port->port_data.pdata, PJMEDIA_DIR_ENCODING);
}

static pj_status_t put_frame(pjmedia_port *port, pjmedia_frame *frame)
{
    long idle = idle_of(port);
    pj_status_t status;

    if (idle >= 0 && is_held(port))
        return PJ_SUCCESS; /* what it said would not be sent */
    if (frame->type != PJMEDIA_FRAME_TYPE_NONE) {
        if (idle) {
            quiet(port, PJ_FALSE); /* also where keys were dialled into a quiet stream */
            keep(port, empty_of(port), 0);
        }
        return stream_put_frame(port, frame);
    }
    idle = idle < 0x7fffff ? idle + 1 : KEEP_FRAMES;
    keep(port, empty_of(port), idle);
    if (idle < 0)
        quiet(port, PJ_FALSE); /* a key is dialled */
    else if (idle == FADE_FRAMES + 1)
        quiet(port, PJ_TRUE);
    if (idle <= FADE_FRAMES || idle % KEEP_FRAMES)
        return stream_put_frame(port, frame);
    quiet(port, PJ_FALSE);
    status = stream_put_frame(port, frame);
    quiet(port, PJ_TRUE);
    return status;
}

int tandem_gap(size_t stream, size_t media_port)
{
    pjmedia_port *port = (pjmedia_port *)media_port;
    pjmedia_stream_info info;

    if (!port || port->port_data.pdata != (void *)stream || !port->get_frame || port->get_frame == get_frame)
        return 0;
    if (stream_get_frame && (stream_get_frame != port->get_frame || stream_put_frame != port->put_frame))
        return 0; /* another kind of stream than the first one: leave it as it is */
    if (pjmedia_stream_get_info((pjmedia_stream *)stream, &info) != PJ_SUCCESS)
        return 0;
    stream_get_frame = port->get_frame;
    stream_put_frame = port->put_frame;
    keep(port, FADE_FRAMES, 0);
    port->get_frame = get_frame;
    if (info.dir & PJMEDIA_DIR_ENCODING) /* else paused for good, and not ours to resume */
        port->put_frame = put_frame;
    return 1;
}

void tandem_gap_forget(size_t media_port)
{
    /* A stream whose decoder is resumed empties its buffer before it is read again. */
    pjmedia_stream_resume(((pjmedia_port *)media_port)->port_data.pdata, PJMEDIA_DIR_DECODING);
}

void gap_hold(pjmedia_port *port, pj_bool_t on)
{
    if (port->get_frame != get_frame)
        return; /* not one of those that tandem_gap took */
    if (on)
        __atomic_fetch_or(&port->port_data.ldata, HELD, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&port->port_data.ldata, ~HELD, __ATOMIC_RELAXED);
}

void tandem_gap_wake(size_t media_port)
{
    pjmedia_port *port = (pjmedia_port *)media_port;
    long idle = idle_of(port);

    keep(port, empty_of(port), (idle < 0 ? idle : 0) - KEY_FRAMES);
}
