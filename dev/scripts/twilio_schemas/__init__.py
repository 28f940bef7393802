"""From Twilio's OpenAPI documents to the schema files of the tap's streams."""
