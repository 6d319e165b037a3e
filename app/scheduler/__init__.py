"""The process that does by the clock what people do by command."""
