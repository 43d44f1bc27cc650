import COpenSSL
import PMAPI

/// Why something about TLS failed, in OpenSSL's words.
struct TLSError: Error, CustomStringConvertible {
    let description: String
}

extension TLSError {
    /// Reads a text that C has written.
    fileprivate init(_ reason: [CChar]) {
        let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        self.init(description: String(decoding: text, as: UTF8.self))
    }
}

/// The server's side of TLS, as OpenSSL keeps it: certificate, key, and demands on clients.
final class TLSContext {
    fileprivate let context: OpaquePointer

    /// Reads key and certificate.
    ///
    /// - Throws: `TLSError` when they cannot be read or do not fit together.
    init(key: String, certificate: String) throws(TLSError) {
        var reason = Self.noReason
        guard let context = pm_tls_context_new(certificate, key, &reason) else { throw TLSError(reason) }
        self.context = context
    }

    /// Asks clients for a certificate of one of the authorities in a file.
    ///
    /// - Throws: `TLSError` when the file holds none.
    func ask(_ authorities: String, isRequired: Bool) throws(TLSError) {
        var reason = Self.noReason
        guard pm_tls_context_ask(context, authorities, isRequired, &reason) else { throw TLSError(reason) }
    }

    /// Refuses certificates that the lists in a file revoke.
    ///
    /// - Throws: `TLSError` when the file holds no list.
    func revoke(_ lists: String) throws(TLSError) {
        var reason = Self.noReason
        guard pm_tls_context_revoke(context, lists, &reason) else { throw TLSError(reason) }
    }

    private static let noReason = [CChar](repeating: 0, count: Int(PM_TLS_REASON_MAX))

    deinit { pm_tls_context_free(context) }
}

/// One connection's TLS, over memory: what the peer sent is given, what is for the peer is taken.
final class TLSSession {
    private let session: OpaquePointer
    /// Kept for as long as sessions use it.
    private let context: TLSContext

    /// Begins a server's session.
    ///
    /// - Throws: `TLSError` without memory.
    init(_ context: TLSContext) throws(TLSError) {
        guard let session = pm_tls_session_new(context.context) else { throw TLSError(description: "out of memory") }
        self.session = session
        self.context = context
    }

    deinit { pm_tls_session_free(session) }

    /// The peer's certificate, if it has shown one that is good.
    var certificate: ClientSession.ClientCertificate? {
        var digest = [UInt8](repeating: 0, count: Int(PM_TLS_FINGERPRINT))
        guard pm_tls_peer_fingerprint(session, &digest) else { return nil }
        let names = [UInt8](unsafeUninitializedCapacity: Int(PM_TLS_NAMES_MAX)) { space, count in
            guard let start = space.baseAddress else { return }
            count = start.withMemoryRebound(to: CChar.self, capacity: space.count) {
                pm_tls_peer_names(session, $0, space.count)
            }
        }
        return ClientSession.ClientCertificate(
            fingerprint: digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(),
            names: names.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
    }

    /// The number of bytes that wait for the peer.
    var pending: Int { pm_tls_pending(session) }

    func give(_ bytes: UnsafeRawBufferPointer) throws(TLSError) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        guard pm_tls_give(session, start, bytes.count) else { throw TLSError(description: "out of memory") }
    }

    func readOutgoing(_ space: UnsafeMutableRawBufferPointer) -> Int {
        guard let start = space.baseAddress else { return 0 }
        return pm_tls_take(session, start, space.count)
    }

    /// Goes on with the handshake; whether it is done.
    func handshake() throws(TLSError) -> Bool { try outcome(pm_tls_handshake(session)) == .done }

    /// The result of a read.
    enum Reading: Equatable {
        case bytes(Int)
        /// Nothing until more is given.
        case nothing
        /// The peer said that it sends no more.
        case end
    }

    func read(_ space: UnsafeMutableRawBufferPointer) throws(TLSError) -> Reading {
        guard let start = space.baseAddress else { return .nothing }
        var count = 0
        switch try outcome(pm_tls_read(session, start, space.count, &count)) {
        case .done: return .bytes(count)
        case .wants: return .nothing
        case .closed: return .end
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(TLSError) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        _ = try outcome(pm_tls_write(session, start, bytes.count))
    }

    /// Says that nothing more comes.
    func close() { pm_tls_close(session) }

    private enum Progress {
        case done, wants, closed
    }

    private func outcome(_ outcome: pm_tls_outcome) throws(TLSError) -> Progress {
        switch outcome {
        case .PM_TLS_DONE: .done
        case .PM_TLS_WANTS: .wants
        case .PM_TLS_CLOSED: .closed
        case .PM_TLS_FAILED: throw TLSError(description: String(cString: pm_tls_reason(session)))
        }
    }
}
