import Glibc
import PMAPI
import PMSystem

/// The files of a place's TLS side, read again for the next connection when they have changed.
final class TLSIdentity {
    private let secrets: NetworkPoint.Secrets
    private let isClientOptional: Bool
    private let log: GatewayLog
    private var versions: [FileVersion?]
    private(set) var context: TLSContext

    /// Reads the files.
    ///
    /// - Throws: `TLSError` with the file that cannot be used, and why.
    init(_ secrets: NetworkPoint.Secrets, isClientOptional: Bool, _ log: GatewayLog) throws(TLSError) {
        self.secrets = secrets
        self.log = log
        self.isClientOptional = isClientOptional
        versions = Self.versions(secrets)
        context = try Self.read(secrets, isClientOptional)
    }

    /// A new session; with the files as they are now, or, while those cannot be used, as they were.
    ///
    /// - Throws: `TLSError` without memory.
    func session() throws(TLSError) -> TLSSession {
        let current = Self.versions(secrets)
        if current != versions {
            versions = current
            do throws(TLSError) {
                context = try Self.read(secrets, isClientOptional)
                log.tell("read \(secrets.certificate) again")
            } catch {
                log.tell("\(error); the gateway keeps using the previous certificate")
            }
        }
        return try TLSSession(context)
    }

    private static func versions(_ secrets: NetworkPoint.Secrets) -> [FileVersion?] {
        [secrets.key, secrets.certificate, secrets.authorities, secrets.revocations].map {
            $0.flatMap(FileVersion.init)
        }
    }

    private static func read(_ secrets: NetworkPoint.Secrets, _ isClientOptional: Bool) throws(TLSError) -> TLSContext {
        for path in [secrets.certificate, secrets.key, secrets.authorities, secrets.revocations].compactMap({ $0 }) {
            guard access(path, R_OK) == 0 else {
                throw TLSError(description: UnreadableFile(path, code: errno).description)
            }
        }
        try checkKey(secrets.key)
        try checkPaths(of: secrets)
        let context: TLSContext
        do throws(TLSError) {
            context = try TLSContext(key: secrets.key, certificate: secrets.certificate)
        } catch {
            throw TLSError(
                description: "cannot use the key \(secrets.key) with the certificate \(secrets.certificate): \(error)")
        }
        guard let authorities = secrets.authorities else { return context }
        do throws(TLSError) {
            try context.ask(authorities, isRequired: !isClientOptional)
        } catch {
            throw TLSError(description: "cannot use the authorities in \(authorities): \(error)")
        }
        guard let revocations = secrets.revocations else { return context }
        do throws(TLSError) {
            try context.revoke(revocations)
        } catch {
            throw TLSError(description: "cannot use the revocation list in \(revocations): \(error)")
        }
        return context
    }

    /// Somebody who can put another file in the place of these decides who is let in. A pipe in their place would block the
    /// gateway. They may belong to root, to this process's user, and to the owner of the key.
    private static func checkPaths(of secrets: NetworkPoint.Secrets) throws(TLSError) {
        for path in [secrets.key, secrets.certificate, secrets.authorities, secrets.revocations].compactMap({ $0 }) {
            let fault: String?
            do throws(SystemError) {
                fault = try pathFault(of: path, besides: secrets.key)
            } catch {
                throw TLSError(description: "cannot use \(path): \(error)")
            }
            if let fault { throw TLSError(description: "\(path) is not used: \(fault)") }
        }
    }

    private static func pathFault(of path: String, besides key: String) throws(SystemError) -> String? {
        guard let owner = try Files.status(key)?.owner, let status = try Files.status(path) else { return nil }
        guard status.kind == .file else { return "it is no file" }
        return PathTrust(trusting: [geteuid(), owner]).finding(on: path).map { "\($0) (chown, chmod go-w)" }
    }

    /// A key that other users can read proves nothing to clients. Whose it is, is for who gave it to the gateway to say.
    private static func checkKey(_ path: String) throws(TLSError) {
        let fault: SecretFile.Fault?
        do throws(SystemError) {
            guard let status = try Files.status(path) else { return }
            fault = SecretFile.fault(status, user: status.owner)
        } catch {
            throw TLSError(description: "cannot use the key \(path): \(error)")
        }
        guard let fault else { return }
        let hint = fault.hint(path).map { " (\($0))" } ?? ""
        throw TLSError(description: "the key \(path) is not used: \(fault.reason)\(hint)")
    }
}
