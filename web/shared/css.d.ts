/** The bundler takes stylesheets; the compiler need not. */
declare module '*.css'
