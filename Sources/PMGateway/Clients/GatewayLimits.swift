/// Limits of the gateway for its clients.
struct GatewayLimits: Equatable {
    /// Clients at once.
    var connections = 1024
    /// Clients at once from one address of IPv4, or one /64 of IPv6.
    var connectionsOfSource: Int { max(connections / 2, min(connections, 32)) }
    /// Clients at once that have not said a byte, before more of them are dropped by chance.
    var silentClients: Int { connectionsOfSource }
    /// Clients at once whose handshake is not done.
    var handshakes = 64
    /// Of these, from one source.
    var handshakesOfSource: Int { max(1, handshakes / 4) }
    /// For the first byte of a connection.
    var firstByte: Duration { min(.seconds(5), handshake) }
    /// Bytes of a message of WebSocket, and of the body of an HTTP request.
    var message = 4 << 20
    /// Bytes that all clients together may make the gateway hold (`MemoryBudget`).
    var memory = 256 << 20
    /// Bytes that the clients of one source may make it hold.
    var memoryOfSource: Int { memory / 2 }
    /// Bytes that one client may make it hold: one line of the daemon, and a message of its own.
    var clientMemory: Int { min(memoryOfSource, LineBuffer.limit + message) }
    /// For a TLS handshake, for a first line, and for the head of an HTTP request.
    var handshake = Duration.seconds(10)
    /// For the body of an HTTP request, and between two requests.
    var request = Duration.seconds(60)
    /// Bytes of the head of an HTTP request.
    var head = 32 << 10
    /// Calls of one batch over HTTP.
    var batch = 100
}
