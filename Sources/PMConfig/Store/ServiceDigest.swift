internal import JSON
public import PMModel

/// The configuration that a process was started with, so short that a daemon keeps it for its successors: a fingerprint of each setting that
/// is not at its default. The settings themselves may be secret.
public enum ServiceDigest {
    /// The fingerprints by the keys of the configuration.
    public static func of(_ service: ServiceComparison.Service) -> [String: UInt64] {
        var digest: [String: UInt64] = [:]
        let limits = service.mapping.limits.json.object ?? [:]
        let members = [
            service.definition.json, service.mapping.json, JSONObject(limits.map { ("limits.\($0.key)", $0.value) }),
        ]
        for (key, value) in members.joined() where ServiceSetting(rawValue: key)?.isOfProcess == true {
            digest[key] = Fingerprint(of: value.serialized()).value
        }
        return digest
    }
}
