import FoundationEssentials
import JSON
import PMAPI

/// Swift values as JSON and back. Dates are ISO 8601 with or without fractions of a second, as `Date.toJSON` of
/// JavaScript writes them.
enum Coding {
    /// The positional parameters of a call.
    static func params<each Argument: Encodable>(_ arguments: repeat each Argument) throws -> JSONValue {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var place = encoder.singleValueContainer()
            try place.encode(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        }
        var values: [JSONValue] = []
        for argument in repeat each arguments {
            values.append(try JSONValue(parsing: [UInt8](try encoder.encode(argument))))
        }
        return .array(values)
    }

    /// A result; `call` is whose it is.
    static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], of call: String
    ) throws(APIError) -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            // Without fractions it is the other kind.
            if let date = try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) {
                return date
            }
            return try Date(text, strategy: .iso8601)
        }
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch {
            throw APIError(
                502, "the result of \(call) is not a \(type): \(error)",
                hint: "the result was \(String(decoding: bytes.prefix(200), as: UTF8.self))")
        }
    }
}
