import JSON
public import PMModel

extension NetworkPoint {
    /// A file with a token, and what who sends the token may call.
    public struct TokenFile: Hashable, Sendable {
        /// The file, absolute.
        public let path: String
        /// Commands that a client with this token may call; nil: those of the point.
        public let allow: AllowList?

        /// The text form: the path, or `{"file":…,"allow":[…]}`.
        var word: String { Self.word("file", path, allow) }

        fileprivate static func word(_ name: String, _ value: String, _ allow: AllowList?) -> String {
            guard let allow else { return value }
            return JSONValue.object([name: .string(value), "allow": .array(allow.patterns.map { .string($0) })]).text
        }
    }

    /// A client certificate that is good, and what its owner may call.
    public struct Client: Hashable, Sendable {
        /// The property by which a certificate is recognised.
        public enum Identity: Hashable, Sendable {
            /// A common name, or a name of the subjectAltName.
            case name(String)
            /// SHA-256 of its DER form, 64 lower-case hexadecimal digits.
            case fingerprint(String)
        }

        /// The property by which the certificate is recognised.
        public let identity: Identity
        /// Commands that a client with this certificate may call; nil: those of the point.
        public let allow: AllowList?

        /// The text form, as `--listen` of pm-gateway takes it.
        var word: String {
            switch identity {
            case .name(let name): TokenFile.word("name", name, allow)
            case .fingerprint(let digits): TokenFile.word("fingerprint", Self.prefix + digits, allow)
            }
        }

        fileprivate static let prefix = "sha256:"

        /// True when the entry means this certificate.
        public func matches(_ certificate: ClientSession.ClientCertificate) -> Bool {
            switch identity {
            // Byte for byte: to == two spellings of an accented letter are one.
            case .name(let name): certificate.names.contains { $0.utf8.elementsEqual(name.utf8) }
            case .fingerprint(let digits): certificate.fingerprint == digits
            }
        }
    }
}

// MARK: reading

extension NetworkPoint {
    /// `"token": "FILE"`, and `"tokens": ["FILE", {"file": "FILE", "allow": ["shop.get"]}]`.
    static func tokens(_ options: JSONObject, _ url: String, in directory: String) throws(APIError) -> [TokenFile] {
        var files: [TokenFile] = []
        if let path = try options.text("token") {
            files.append(TokenFile(path: Paths.resolve(path, from: directory), allow: nil))
        }
        for entry in entries(options["tokens"]) {
            let path = try text(of: entry, ["file"], "tokens", url).value
            files.append(
                TokenFile(path: Paths.resolve(path, from: directory), allow: try allow(entry.object ?? [:], of: url)))
        }
        return files
    }

    /// `"clients": ["NAME", "sha256:DIGITS", {"name": "NAME", "allow": [...]}, {"fingerprint": "sha256:DIGITS"}]`.
    static func clients(_ options: JSONObject, _ url: String) throws(APIError) -> [Client] {
        var clients: [Client] = []
        for entry in entries(options["clients"]) {
            let (member, value) = try text(of: entry, ["name", "fingerprint"], "clients", url)
            let isFingerprint = member == "fingerprint" || (member == nil && value.hasPrefix(Client.prefix))
            let identity: Client.Identity = isFingerprint ? .fingerprint(try digits(value, url)) : .name(value)
            clients.append(Client(identity: identity, allow: try allow(entry.object ?? [:], of: url)))
        }
        return clients
    }

    /// `"allow": ["shop", "db.get", "status"]`, or one text with commas.
    static func allow(_ options: JSONObject, of url: String) throws(APIError) -> AllowList? {
        guard let value = options["allow"], value != .null else { return nil }
        let texts = value.string.map { $0.split(separator: ",").map(String.init) } ?? value.array?.compactMap(\.string)
        guard let texts, value.array.map({ $0.count == texts.count }) ?? true, let list = AllowList(texts) else {
            throw .badRequest(
                "\"allow\" of \(url) must be a list of patterns",
                hint: "\"allow\": [\"shop\", \"db.get\", \"status\"] names services, commands and methods of pm")
        }
        return list
    }

    private static func entries(_ value: JSONValue?) -> [JSONValue] {
        switch value {
        case nil, .null?: []
        case .string(let text)?: text.split(separator: ",").map { .string(String($0)) }
        case .array(let list)?: list
        case let other?: [other]
        }
    }

    /// A text, or the text of the one of the members that an object has.
    private static func text(
        of entry: JSONValue, _ members: [String], _ option: String, _ url: String
    ) throws(APIError) -> (member: String?, value: String) {
        if let text = entry.string, !text.isEmpty { return (nil, text) }
        let given = members.filter { entry[$0]?.string?.isEmpty == false }
        let isKnown = entry.object?.allSatisfy { members.contains($0.key) || $0.key == "allow" } ?? false
        guard given.count == 1, isKnown, let member = given.first, let text = entry[member]?.string else {
            let names = members.map { "\"\($0)\"" }.joined(separator: " or ")
            throw .badRequest(
                "an entry of \"\(option)\" of \(url) must be a text, or an object with \(names) and \"allow\"")
        }
        return (member, text)
    }

    private static func digits(_ text: String, _ url: String) throws(APIError) -> String {
        let digits = text.hasPrefix(Client.prefix) ? String(text.dropFirst(Client.prefix.count)) : text
        let plain = digits.filter { $0 != ":" }.lowercased()
        guard plain.utf8.count == 64, plain.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw .badRequest(
                "\"\(text)\" of \(url) is not a fingerprint, which is sha256: and 64 hexadecimal digits",
                hint: "openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE")
        }
        return plain
    }
}
