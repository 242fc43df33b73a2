/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TCP and TLS connections that others have made to us: how many there are, of whom, and how long they say nothing.
 * PJSIP tells of a connection when it stands (TLS: after the handshake); an unfinished handshake ends by the listener's
 * time-out and counts as a fault (tls.c), and banned addresses are dropped at the SYN, by the filter. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "tandem.h"

struct connection {
    struct keyed node; /* by the transport's place in memory */
    pjsip_transport *transport;
    struct key source;
    enum who kind;
    long long since;
    pj_bool_t spoke, doomed;
};

struct load {
    struct keyed node; /* by source */
    int n;
    struct allowance made;
};

static pjsip_tpmgr *manager; /* NULL: not at work */
static pjsip_tpmgr *hooked;  /* whose callbacks lead here; pjsua puts its own in front of ours and keeps it for good */
static pjsip_tp_state_callback next_one;
static struct keyed_table connections, loads;

static struct key key_of_transport(const pjsip_transport *transport)
{
    struct key key = {.bytes = 254};

    memcpy(key.address, &transport, sizeof(transport));
    return key;
}

static struct connection *connection_of(const pjsip_transport *transport)
{
    struct key key = key_of_transport(transport);

    return (struct connection *)keyed_find(&connections, &key);
}

static struct load *load_of(const struct key *source)
{
    struct load *load = (struct load *)keyed_find(&loads, source);

    if (!load && loads.n < 20000 && (load = calloc(1, sizeof(*load)))) {
        load->node.key = *source;
        keyed_put(&loads, &load->node);
    }
    return load;
}

static void end(struct connection *connection, enum tandem_counter why)
{
    count(why);
    connection->doomed = PJ_TRUE;
    pjsip_transport_shutdown2(connection->transport, PJ_TRUE);
}

/* Whether one more is too many. Trunks and offices have no limit of their own, but room in the whole. */
static pj_bool_t is_too_many(enum who kind, struct load *load, long long now)
{
    double most = limits[LIMIT_CONNECTIONS], of_one = limits[LIMIT_CONNECTIONS_SOURCE];
    double share = kind >= KIND_OFFICE ? 1 : 0.8; /* a fifth is for them alone */

    if (most > 0 && connections.n > most * share)
        return PJ_TRUE;
    if (kind >= KIND_OFFICE)
        return PJ_FALSE;
    return !load || (of_one > 0 && load->n > of_one) ||
           !allowance_take(&load->made, limits[LIMIT_CONNECTION_RATE], limits[LIMIT_CONNECTION_BURST], now);
}

/* It was given up before it stood, and has cost as much: a fault only where it was one of too many. */
void connection_failed(const struct key *source)
{
    struct load *load;

    if (place_protects(source))
        return;
    load = load_of(source);
    if (!load ||
        !allowance_take(&load->made, limits[LIMIT_CONNECTION_RATE], limits[LIMIT_CONNECTION_BURST], gate_now()))
        source_fault(source, "connections", 1);
}

static void on_made(pjsip_transport *transport)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    long long now = gate_now();
    struct load *load;

    if (!connection)
        return;
    *connection = (struct connection){.node.key = key_of_transport(transport),
                                      .transport = transport,
                                      .source = key_of_address(&transport->key.rem_addr, 0),
                                      .kind = place_origin(place_of(transport), &transport->key.rem_addr).kind,
                                      .since = now};
    keyed_put(&connections, &connection->node);
    if ((load = load_of(&connection->source)))
        load->n++;
    if (ban_holds(&transport->key.rem_addr))
        end(connection, COUNT_DROPPED_BANNED);
    else if (is_too_many(connection->kind, load, now)) {
        end(connection, COUNT_CONNECTIONS_REFUSED);
        source_fault(&connection->source, "connections", 1);
    }
}

static void on_gone(pjsip_transport *transport)
{
    struct connection *connection = connection_of(transport);
    struct load *load;

    if (!connection)
        return;
    if ((load = (struct load *)keyed_find(&loads, &connection->source)) && load->n > 0)
        load->n--; /* the node stays for a while: its bucket remembers */
    keyed_take(&connections, &connection->node);
    free(connection);
}

static void on_state(pjsip_transport *transport, pjsip_transport_state state, const pjsip_transport_state_info *info)
{
    if (manager && !(transport->flag & PJSIP_TRANSPORT_DATAGRAM) && transport->dir == PJSIP_TP_DIR_INCOMING) {
        if (state == PJSIP_TP_STATE_CONNECTED && !connection_of(transport))
            on_made(transport);
        else if (state == PJSIP_TP_STATE_DESTROY)
            on_gone(transport);
    }
    if (next_one)
        next_one(transport, state, info);
}

/* A connection has carried a request that can be read. */
void connection_spoke(const pjsip_transport *transport)
{
    struct connection *connection;

    if ((transport->flag & PJSIP_TRANSPORT_DATAGRAM) || !connections.n)
        return;
    if ((connection = connection_of(transport)))
        connection->spoke = PJ_TRUE;
}

/* A stream that cannot be cut into messages any more: what follows would be read as anything. */
void connection_lost_its_way(pjsip_transport *transport)
{
    struct connection *connection = connection_of(transport);

    if (connection && !connection->doomed) {
        end(connection, COUNT_STREAMS_BROKEN);
        source_fault(&connection->source, "stream", 1);
    }
}

static void look(struct keyed *node, void *data)
{
    struct connection *connection = (struct connection *)node;
    pjsip_transport *transport = connection->transport;
    long long now = *(long long *)data;
    double silent, first = limits[LIMIT_CONNECTION_FIRST], idle = limits[LIMIT_CONNECTION_IDLE];
    pj_timestamp time;

    if (connection->doomed || connection->kind >= KIND_OFFICE)
        return;
    pj_get_timestamp(&time);
    silent = connection->spoke && transport->last_recv_ts.u64
                 ? pj_elapsed_msec(&transport->last_recv_ts, &time) * 1e-3
                 : (double)(now - connection->since) * 1e-6;
    if (ban_holds(&transport->key.rem_addr))
        end(connection, COUNT_DROPPED_BANNED);
    else if (!connection->spoke && first > 0 && silent > first) {
        end(connection, COUNT_CONNECTIONS_IDLE);
        source_fault(&connection->source, "idle-connection", 1);
    } else if (connection->spoke && idle > 0 && silent > idle &&
               !source_is_phone(&transport->key.rem_addr, pj_sockaddr_get_port(&transport->key.rem_addr)))
        end(connection, COUNT_CONNECTIONS_IDLE);
}

static void forget_load(struct keyed *node, void *now)
{
    struct load *load = (struct load *)node;

    if (!now || (load->n == 0 && *(long long *)now - load->made.filled > 60000000)) {
        keyed_take(&loads, node);
        free(load);
    }
}

void connections_tick(long long now)
{
    keyed_each(&connections, &look, &now);
    keyed_each(&loads, &forget_load, &now);
}

int tandem_gate_connections(void)
{
    return connections.n;
}

/* What a banned or foreign source writes into a connection that it had before is thrown away unread. */
static pj_status_t on_stream(pjsip_tp_rx_data *data)
{
    if (ban_holds(&data->tp->key.rem_addr)) {
        count(COUNT_DROPPED_BANNED);
        data->len = 0;
    }
    return PJ_SUCCESS;
}

pj_status_t connections_start(pjsip_endpoint *endpt)
{
    pjsip_tp_state_callback now;

    manager = pjsip_endpt_get_tpmgr(endpt);
    now = pjsip_tpmgr_get_state_cb(manager);
    pjsip_tpmgr_set_recv_data_cb(manager, &on_stream);
    if (hooked == manager && now)
        return PJ_SUCCESS;
    hooked = manager;
    next_one = now;
    return pjsip_tpmgr_set_state_cb(manager, &on_state);
}

static void forget(struct keyed *node, void *unused)
{
    (void)unused;
    keyed_take(&connections, node);
    free(node);
}

void connections_stop(void)
{
    if (manager)
        pjsip_tpmgr_set_recv_data_cb(manager, NULL);
    if (manager && pjsip_tpmgr_get_state_cb(manager) == &on_state) {
        pjsip_tpmgr_set_state_cb(manager, next_one);
        hooked = NULL;
    }
    connections_gone();
}

/* The manager is going: it still tells of each end, and whoever listened before us wants to hear of it. */
void connections_gone(void)
{
    keyed_each(&connections, &forget, NULL);
    keyed_each(&loads, &forget_load, NULL);
    manager = NULL;
}
