import Glibc
import NIOCore
import NIOPosix
import PMAPI
import PMSystem

/// The composition root: makes the places, listens, and tries again where that was not possible.
///
/// Everything in it happens on one event loop.
final class Gateway {
    /// A running gateway, for those who are not on its loop.
    struct Handle: Sendable {
        fileprivate let group: MultiThreadedEventLoopGroup
        fileprivate let gateway: NIOLoopBound<Gateway>

        /// Ends all connections, and waits for that.
        func stop() {
            let gateway = gateway
            try? group.next().submit { gateway.value.close() }.wait()  // it fails only without a loop
            try? group.syncShutdownGracefully()  // the process ends: an error would reach nobody
        }
    }

    private let loop: any EventLoop
    private let context: GatewayContext
    private let groups: [[NetworkPoint]]
    private var listeners: [any Channel] = []
    private var problems: [String: String] = [:]
    private var channel: DaemonChannel?
    /// Told what cannot be served when all places were tried, and whenever that changes.
    private let onReport: @Sendable ([String]) -> Void
    private var isClosed = false
    /// Pause before another try to listen.
    private static let pause = TimeAmount.seconds(2)

    private init(
        _ options: GatewayOptions, on loop: any EventLoop, _ onReport: @escaping @Sendable ([String]) -> Void
    ) {
        self.onReport = onReport
        self.loop = loop
        let log = GatewayLog()
        context = GatewayContext(
            sessions: Sessions(options.daemon, log), limits: options.limits, log: log, clients: Clients(options.limits))
        // Points with one place share a listener.
        var groups: [NetworkPoint.Endpoint: [NetworkPoint]] = [:]
        for point in options.points { groups[point.place, default: []].append(point) }
        self.groups = groups.values.sorted { $0[0].url < $1[0].url }
    }

    /// Starts to serve.
    ///
    /// - Throws: when the channel to the daemon that started it cannot be used.
    static func start(
        _ options: GatewayOptions, onReport: @escaping @Sendable ([String]) -> Void
    ) throws -> Handle {
        // A client of this socket may get all rights of the daemon: only its user and root may connect.
        umask(0o177)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let gateway = try loop.submit {
            let gateway = Gateway(options, on: loop, onReport)
            gateway.listen()
            return NIOLoopBound(gateway, eventLoop: loop)
        }.wait()
        if let descriptor = DaemonChannel.descriptor {
            try loop.flatSubmit { gateway.value.join(descriptor) }.wait()
        }
        return Handle(group: group, gateway: gateway)
    }

    private func close() {
        isClosed = true
        for listener in listeners { listener.close(promise: nil) }
        // The next start replaces one that stays.
        for case .path(let path) in groups.map({ $0[0].place }) { try? Files.removeSocket(path) }
    }

    // MARK: the daemon that started it

    private func join(_ descriptor: CInt) -> EventLoopFuture<Void> {
        // pm-init of all processes is gone when this channel ends: then nobody would ever stop this one.
        let channel = DaemonChannel { kill(getpid(), SIGTERM) }
        self.channel = channel
        let bound = NIOLoopBound(channel, eventLoop: loop)
        let gateway = NIOLoopBound(self, eventLoop: loop)
        return ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .withConnectedSocket(descriptor).map { _ in gateway.value.report() }
    }

    private func report() {
        guard !isClosed, problems.count + listeners.count >= groups.count else { return }
        let told = problems.sorted { $0.key < $1.key }.map(\.value)
        channel?.tell(told)
        onReport(told)
    }

    // MARK: listening

    private func listen() {
        for points in groups { listen(points) }
    }

    private func listen(_ points: [NetworkPoint]) {
        guard !isClosed else { return }
        do {
            let place = try Endpoint(points, context)
            bind(place)
        } catch {
            failed(points, "\(error)")
        }
    }

    private func bind(_ place: Endpoint) {
        let bound = NIOLoopBound((self, place), eventLoop: loop)
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.1.serve(channel) }
            }
        let future: EventLoopFuture<any Channel>
        switch place.points[0].place {
        case .path(let path): future = bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
        case .host(let host, let port):
            future =
                bootstrap
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .bind(host: host == "*" ? "0.0.0.0" : host, port: Int(port))
        }
        future.whenComplete { result in
            let (gateway, place) = bound.value
            switch result {
            case .success(let channel): gateway.listens(place, channel)
            case .failure(let error): gateway.failed(place.points, ListenFailure(error, place).description)
            }
        }
    }

    private func listens(_ place: Endpoint, _ channel: any Channel) {
        if isClosed { return channel.close(promise: nil) }
        listeners.append(channel)
        problems[place.points[0].url] = nil
        context.log.tell("listening at \(place.name)")
        report()
    }

    private func failed(_ points: [NetworkPoint], _ reason: String) {
        let url = points[0].url
        let text = "pm-gateway cannot listen at \(points.map(\.url).joined(separator: " and ")): \(reason)"
        if problems[url] != text { context.log.tell(text) }
        problems[url] = text
        report()
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: Self.pause) { bound.value.listen(points) }
    }
}

/// Why a socket cannot be bound, in words, and what to do.
private struct ListenFailure: CustomStringConvertible {
    let description: String

    init(_ error: any Error, _ place: Endpoint) {
        guard let code = (error as? IOError)?.errnoCode else {
            description = "\(error)"
            return
        }
        let reason = String(cString: strerror(code))
        let hint: String? =
            switch (code, place.points[0].place) {
            case (EADDRINUSE, .host(_, let port)): "ss -ltnp 'sport = :\(port)' shows which program uses the port"
            case (EACCES, .host(_, let port)) where port < 1024:
                "ports below 1024 are reserved: take another one (--port), or sysctl net.ipv4.ip_unprivileged_port_start=\(port)"
            case (EROFS, .path(let path)):
                "run systemctl edit pm-gateway.service, and add the folder of \(path) to ReadWritePaths="
            case (EACCES, .path(let path)): "user \(geteuid()) must be allowed to write into the folder of \(path)"
            default: nil  // numbers of the kernel, not an enum of ours
            }
        description = reason + (hint.map { " (\($0))" } ?? "")
    }
}
